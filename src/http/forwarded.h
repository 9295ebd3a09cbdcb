// Who the client is, where proxies stand in between: X-Forwarded-For, and Forwarded (RFC 7239).
#pragma once

#include <concepts>
#include <span>
#include <type_traits>

#include "http/ip_text.h"
#include "http/message.h"

namespace weir::http {

template <class T>
concept TrustsAddresses = std::is_class_v<T> && std::predicate<const T&, const IpBytes&>;

/// Whether the operator trusts the proxy at an address: a view of a callable object, which it must not
/// outlive.
class TrustedProxies {
  public:
    template <TrustsAddresses Trusts>
    TrustedProxies(const Trusts& trusts)
        : trusts_(&trusts), ask_([](const void* object, const IpBytes& address) -> bool {
              return (*static_cast<const Trusts*>(object))(address);
          }) {}

    bool operator()(const IpBytes& address) const { return ask_(trusts_, address); }

  private:
    const void* trusts_;
    bool (*ask_)(const void*, const IpBytes&);
};

struct ForwardedClient {
    IpBytes address{};
    /// The peer is a trusted proxy: what it says in X-Forwarded-Proto and X-Forwarded-Host may be believed.
    bool peer_is_trusted = false;
    /// X-Forwarded-For and Forwarded name different clients: neither is believed.
    bool is_disputed = false;
};

/// How much is read of each of the two, from the right: what is beyond counts as if it were not there.
inline constexpr size_t kMaxForwardedHops = 64;
inline constexpr size_t kMaxForwardedBytes = 8192;

/// Walks the addresses in `fields` (the lines of a request, in order) from right to left, for as long as the
/// one to the right of an address is a trusted proxy: it wrote that address, and whatever stands further to
/// the left anyone may have written. The first that is not trusted is the client; where the walk ends sooner,
/// at "unknown", an obfuscated name or anything else that is no address, it is the last proxy before that.
/// `peer` is the client where it is not trusted itself, or nothing is said.
///
/// A trusted proxy writes one of the two fields and lets a client's own line of the other pass. weir cannot
/// know which, and to prefer either would let clients choose their address. So where both are there they must
/// agree; if not, `peer` is the client.
///
/// No allocation.
[[nodiscard]] ForwardedClient forwarded_client(const IpBytes& peer, std::span<const Field> fields,
                                               TrustedProxies trusts);

}  // namespace weir::http
