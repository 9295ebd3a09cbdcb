// An admin address that a test drives, and what its clients do.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "app/admin_listener.h"
#include "app/watched_parts.h"
#include "net/driven_loop.h"
#include "net/sockets.h"

namespace weir::app {

inline constexpr std::string_view kAsk = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// An admin address on a port that the kernel chose, and its clients.
struct Admin {
    Admin() {
        auto opened = AdminListener::open(driven.loop, parts.overview);
        REQUIRE(opened.has_value());
        listener = std::move(*opened);
        const std::string address = listener->address();
        where = *net::SocketAddress::literal(*parse_endpoint(address));
    }
    ~Admin() {
        listener.reset();
        driven.settle(1);
    }
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;
    [[nodiscard]] net::Fd connect() const { return net::connect_to(where); }

    /// All that comes until `ends` says that it is enough.
    template <class Ends>
    std::string receive(const net::Fd& client, Ends ends) {
        std::string got;
        CHECK(driven.until([&] {
            got += net::receive(client);
            return ends(got);
        }));
        return got;
    }
    std::string ask(const net::Fd& client, std::string_view bytes = kAsk) {
        REQUIRE(driven.until([&] { return net::send_some(client, bytes) == bytes.size(); }));
        return receive(client, [](const std::string& got) { return got.ends_with("\n"); });
    }
    std::string receive_to_end(const net::Fd& client) {
        return receive(client, [&](const std::string&) { return net::next_at(client) == "end"; });
    }

    WatchedParts parts;
    net::DrivenLoop driven;
    std::unique_ptr<AdminListener> listener;
    net::SocketAddress where;
};

}  // namespace weir::app
