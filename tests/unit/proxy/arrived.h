// Connections that arrive, for tests that are at their far ends.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "net/tls_pair.h"
#include "net/tls_server_context.h"
#include "proxy/client_set.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

inline const net::IpAddress kBalancer{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9}};
inline const net::IpAddress kStranger{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 8}};
inline const std::string kHeader = "PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n";

class Arrived : public net::Authority {
  public:
    Arrived() {
        parts.settings.clients.trusted_proxies = {{.address = kBalancer.bytes, .prefix_bits = 128}};
        parts.settings.clients.max_connections_per_ip = 2;
        net::write_pem(folder.file("app.pem"), app);
        net::write_key(folder.file("app.key"), app);
        auto context = net::TlsServerContext::load({.files = {{.certificate = folder.file("app.pem"),
                                                               .key = folder.file("app.key"),
                                                               .client_ca = {}}}},
                                                   keys);
        REQUIRE(context);
        door = std::make_unique<net::TlsDoor>(std::move(*context));
    }
    ClientSet& clients() {
        if (!set) set = std::make_unique<ClientSet>(parts.kit());
        return *set;
    }
    /// The far end of a new connection.
    net::Fd come(const net::IpAddress& peer = kBalancer) {
        auto pair = net::tcp_pair();
        clients().add(std::move(pair.near), peer, entrance);
        return std::move(pair.far);
    }
    [[nodiscard]] bool is_closed(const net::Fd& far) {
        return parts.driven.until([&] {
            const auto next = net::next_at(far);
            return next == "end" || next == "reset";
        });
    }
    [[nodiscard]] uint64_t failed(HandshakeFailure failure) {
        return parts.kit().metrics->arrivals().failed_handshakes[static_cast<size_t>(failure)].read();
    }
    [[nodiscard]] uint64_t refused(ProxyHeaderFailure failure) {
        return parts.kit().metrics->arrivals().refused_headers[static_cast<size_t>(failure)].read();
    }
    std::string answer_at(const net::Fd& far) {
        std::string got;
        REQUIRE(parts.driven.until(
            [&] { return (got += net::receive(far)).find("\r\n\r\n") != std::string::npos; }));
        return got;
    }

    WorkerParts parts;
    net::TlsTicketKeys keys;
    std::unique_ptr<net::TlsDoor> door;
    std::shared_ptr<Entrance> entrance = std::make_shared<Entrance>();
    std::unique_ptr<ClientSet> set;
};

/// Answered by weir itself: the app of these tests is not there.
inline constexpr const char* kBadRequest = "nonsense\r\n\r\n";

}  // namespace weir::proxy
