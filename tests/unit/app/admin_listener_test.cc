#include "app/admin_listener.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/served_admin.h"

namespace weir::app {

namespace {

size_t count_of(const std::string& text, std::string_view what) {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("a connection carries one request after the other, and several that came together") {
    Admin admin;
    const net::Fd client = admin.connect();
    CHECK(admin.ask(client).starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(admin.ask(client).ends_with("\r\n\r\nok\n"));
    std::string many;
    for (int i = 0; i < 5; ++i) many += kAsk;
    REQUIRE(net::send_some(client, many) == many.size());
    admin.receive(client, [](const std::string& got) { return count_of(got, "\r\n\r\nok\n") == 5; });
}

TEST_CASE("a head in single bytes is a head") {
    Admin admin;
    const net::Fd client = admin.connect();
    for (const char& byte : kAsk.substr(0, kAsk.size() - 1)) {
        REQUIRE(admin.driven.until([&] { return net::send_some(client, {&byte, 1}) == 1; }));
        admin.driven.settle(1);
    }
    CHECK(admin.ask(client, "\n").ends_with("ok\n"));
}

TEST_CASE("HEAD is answered like GET, without the body") {
    Admin admin;
    const net::Fd client = admin.connect();
    const std::string got = admin.ask(client, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(got.find("Content-Length: 3\r\n") != std::string::npos);
    CHECK(got.ends_with("\r\n\r\n"));
}

TEST_CASE("a large answer reaches a client that reads slowly, whole") {
    Admin admin;
    admin.parts.overview.effective_config.assign(8 << 20, 'x');
    const net::Fd client = admin.connect();
    const std::string_view request = "GET /config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    REQUIRE(admin.driven.until([&] { return net::send_some(client, request) == request.size(); }));
    admin.driven.settle();
    CHECK(admin.receive_to_end(client).size() > size_t{8} << 20);
}

TEST_CASE("what is no request, or has a body, is refused and closed") {
    const std::string too_long = "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (const auto& [bytes, status] : std::vector<std::pair<std::string, std::string>>{
             {"nonsense\r\n\r\n", "400"},
             {"GET / HTTP/1.1\nHost: localhost\n\n", "400"},
             {"GET /livez HTTP/1.1\r\n\r\n", "400"},
             {"GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n", "505"},
             {too_long, "431"},
             {"POST /drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi", "413"},
             {"POST /drain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
              "413"}}) {
        CAPTURE(bytes.substr(0, 80));
        Admin admin;
        const net::Fd client = admin.connect();
        REQUIRE(admin.driven.until([&] { return net::send_some(client, bytes) == bytes.size(); }));
        const std::string got = admin.receive_to_end(client);
        CHECK(got.starts_with("HTTP/1.1 " + status));
        CHECK(got.find("Connection: close\r\n") != std::string::npos);
        CHECK(admin.parts.drains == 0);
    }
}

TEST_CASE("more clients than there is room for are served one after the other, and idle ones make room") {
    Admin admin;
    std::vector<net::Fd> idle;
    for (size_t i = 0; i < 10; ++i) {
        idle.push_back(admin.connect());
        admin.ask(idle.back());
    }
    std::vector<net::Fd> clients;
    for (size_t i = 0; i < 3 * AdminListener::kMost; ++i) {
        clients.push_back(admin.connect());
        REQUIRE(admin.driven.until([&] { return net::send_some(clients.back(), kAsk) == kAsk.size(); }));
    }
    std::vector<std::string> got(clients.size());
    CHECK(admin.driven.until([&] {
        for (size_t i = 0; i < clients.size(); ++i) {
            if (clients[i]) got[i] += net::receive(clients[i]);
            if (got[i].ends_with("ok\n")) clients[i] = net::Fd();
        }
        return std::all_of(got.begin(), got.end(),
                           [](const std::string& one) { return one.ends_with("ok\n"); });
    }));
    CHECK(std::any_of(idle.begin(), idle.end(), [](const net::Fd& fd) { return net::next_at(fd) == "end"; }));
}

namespace {

constexpr std::string_view kAskSummary = "GET /summary HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Counts how often the summary is made.
struct CountingAdmin : Admin {
    CountingAdmin() {
        parts.overview.is_draining = [this] {
            ++looks;
            return false;
        };
        admin_ask_once();
        looks_each = looks;
        looks = 0;
    }
    void admin_ask_once() { ask(connect(), kAskSummary); }
    /// As many clients as have asked and not been answered yet.
    std::vector<net::Fd> asking(size_t count) {
        std::vector<net::Fd> clients;
        for (size_t i = 0; i < count; ++i) {
            clients.push_back(connect());
            REQUIRE(driven.until([&] { return net::send_some(clients.back(), kAskSummary) > 0; }));
        }
        return clients;
    }
    /// The processor was busy with pages for so long that nobody gets one now.
    void rest() {
        parts.overview.is_draining = [this] {
            for (const Time begun = monotonic_now();
                 monotonic_now() < begun + std::chrono::milliseconds(10);) {
            }
            return false;
        };
        admin_ask_once();
        parts.overview.is_draining = [this] {
            ++looks;
            return false;
        };
        looks = 0;
    }
    int looks = 0;
    int looks_each = 0;
};

}  // namespace

TEST_CASE("a page that many ask for is made once for all of them, and each gets it whole") {
    CountingAdmin admin;
    admin.rest();
    std::vector<net::Fd> clients = admin.asking(20);
    for (const net::Fd& client : clients)
        CHECK(admin.receive(client, [](const std::string& got) { return got.ends_with("}\n"); })
                  .starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(admin.looks == admin.looks_each);
}

TEST_CASE("while pages rest, probes are answered, and so are refusals") {
    CountingAdmin admin;
    admin.rest();
    const std::vector<net::Fd> waiting = admin.asking(1);
    const net::Fd probe = admin.connect();
    CHECK(admin.ask(probe).ends_with("ok\n"));
    CHECK(admin.ask(probe, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 404 "));
    CHECK(admin.looks == 0);
    CHECK(net::next_at(waiting.front()) == "nothing");
    admin.receive(waiting.front(), [](const std::string& got) { return got.ends_with("}\n"); });
}

TEST_CASE("who leaves while a page is waited for is waited for by nobody") {
    CountingAdmin admin;
    admin.rest();
    std::vector<net::Fd> clients = admin.asking(3);
    admin.driven.settle();
    clients.front() = net::Fd();
    net::reset(clients.back());
    admin.receive(clients[1], [](const std::string& got) { return got.ends_with("}\n"); });
    CHECK(admin.ask(clients[1]).ends_with("ok\n"));
}

TEST_CASE("an address that is taken is an error that names it") {
    Admin admin;
    WatchedParts parts;
    parts.settings.admin.address = *parse_endpoint(admin.listener->address());
    parts.settle();
    auto second = AdminListener::open(admin.driven.loop, parts.overview);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().find(admin.listener->address()) != std::string::npos);
}

}  // namespace weir::app
