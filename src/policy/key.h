// Who a request counts for: the client's address, a header's or a cookie's value, the route, everybody, or
// several of these together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/siphash.h"

namespace weir::policy {

/// In network order; an IPv4 address as ::ffff:a.b.c.d, so that both ways to write it are one client.
using IpBytes = std::array<uint8_t, 16>;
[[nodiscard]] IpBytes ipv4_bytes(std::array<uint8_t, 4> address);
/// Keeps the first `prefix` bits of an IPv6 address, and all of an IPv4 address.
[[nodiscard]] IpBytes network_of(IpBytes address, unsigned prefix);

/// What a rule may know of a request. Views, valid during the call.
struct RequestView {
    /// The value of the nth line (from 0) of a field, its name in any case; its data() is null where there is
    /// none.
    using FieldLine = std::string_view (*)(const void* head, std::string_view name, size_t nth);

    IpBytes ip{};
    uint32_t route = 0;
    const void* head = nullptr;      ///< handed back to `field_line`
    FieldLine field_line = nullptr;  ///< null: no fields
};

struct KeyPart {
    enum class Kind : uint8_t { ip, header, cookie, route };
    Kind kind = Kind::ip;
    std::string name;  ///< of the header or cookie

    bool operator==(const KeyPart&) const = default;
};

/// Everything the key is made of, at most kMostKeyParts; empty: one key for all.
using KeySpec = std::vector<KeyPart>;
inline constexpr size_t kMostKeyParts = 16;
/// "ip, header:x-api-key", or "all".
[[nodiscard]] std::string format_key(const KeySpec&);

/// False where a header or cookie names nobody, so that the address stands in for it; see KeyMaker.
[[nodiscard]] bool is_named(const KeyPart&, const RequestView&);

/// Turns requests into keys for a CellTable. Immutable; no allocation.
///
/// A header or cookie that is absent, empty, or there twice with different values names nobody: the address
/// stands in for it, so nobody gets a fresh quota by leaving it out or by adding a second one.
class KeyMaker {
  public:
    KeyMaker(KeySpec spec, unsigned ipv6_prefix, const HashSeed& seed);

    [[nodiscard]] uint64_t operator()(const RequestView&) const;
    [[nodiscard]] const KeySpec& spec() const { return spec_; }

  private:
    using Words = std::array<uint64_t, 3>;
    [[nodiscard]] Words words_of(const KeyPart&, const RequestView&) const;

    KeySpec spec_;
    unsigned ipv6_prefix_;
    HashSeed seed_;
};

}  // namespace weir::policy
