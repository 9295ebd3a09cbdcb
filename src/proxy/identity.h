// Who a request comes from: the peer, or the client that a trusted proxy in front of weir speaks for.
#pragma once

#include <atomic>
#include <string_view>

#include "base/clock.h"
#include "config/settings.h"
#include "http/message.h"
#include "net/socket.h"
#include "policy/address_set.h"

namespace weir::proxy {

/// What is known of a client: at first that it is the peer. All views outlive the exchange.
struct ClientFacts {
    std::string_view address;          ///< as the log has it
    net::IpAddress ip;                 ///< what keys count by
    std::string_view scheme = "http";  ///< how it reached weir, or the proxy that it came through
    std::string_view host{};           ///< what it asked that proxy for; "" where nobody vouches for one
    std::string_view proxy{};          ///< that proxy's address, where its word for the client is believed
};

/// Threads: any.
class Identity {
  public:
    using AddressText = char[net::IpAddress::kMaxText];

    explicit Identity(const config::Clients& clients) : trusted_(clients.trusted_proxies) {}

    /// False: every peer is the client, and there is nothing to settle.
    [[nodiscard]] bool trusts_anyone() const { return !trusted_.empty(); }
    /// Turns the peer's facts into the client's. Asked for each request, since one connection of a load
    /// balancer carries many clients. `text` takes the client's address and outlives the facts. A proxy that
    /// contradicts itself (http/forwarded.h) is the client itself, and is told of once a minute.
    void settle(const http::RequestHead&, AddressText& text, ClientFacts& facts, Time now) const;

  private:
    void notice_dispute(const ClientFacts& peer, Time now) const;

    policy::AddressSet trusted_;
    mutable std::atomic<Time> next_notice_{Time{}};
};

}  // namespace weir::proxy
