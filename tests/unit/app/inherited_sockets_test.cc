#include "app/inherited_sockets.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/tcp.h>

#include "net/sockets.h"

namespace weir::app {

namespace {

Endpoint at(std::string host, uint16_t port) { return {.host = std::move(host), .port = port, .path = {}}; }

struct Bound {
    net::Fd socket;
    uint16_t port;
};

Bound bound_to(const Endpoint& address) {
    auto socket = net::listen_on(address, {});
    REQUIRE(socket.has_value());
    const uint16_t port = net::SocketAddress::local_of(*socket).port();
    return {std::move(*socket), port};
}

InheritedSockets holding(net::Fd socket) {
    std::vector<net::Fd> sockets;
    sockets.push_back(std::move(socket));
    return InheritedSockets(std::move(sockets));
}

}  // namespace

TEST_CASE("a socket is claimed by its address, once") {
    Bound bound = bound_to(at("127.0.0.1", 0));
    InheritedSockets inherited = holding(std::move(bound.socket));
    CHECK(inherited.unclaimed() == std::vector<std::string>{"127.0.0.1:" + std::to_string(bound.port)});
    CHECK_FALSE(inherited.claim(at("127.0.0.2", bound.port)).has_value());
    CHECK_FALSE(inherited.claim(at("127.0.0.1", static_cast<uint16_t>(bound.port ^ 1))).has_value());
    CHECK_FALSE(inherited.claim(at("", bound.port)).has_value());
    CHECK_FALSE(inherited.claim(at("app.example", bound.port)).has_value());
    CHECK(inherited.claim(at("localhost", bound.port)).has_value());
    CHECK(inherited.unclaimed().empty());
    CHECK_FALSE(inherited.claim(at("127.0.0.1", bound.port)).has_value());
}

TEST_CASE("a port alone claims the socket of every address, of both families or of IPv4 alone") {
    for (const char* host : {"", "0.0.0.0"}) {
        Bound bound = bound_to(at(host, 0));
        InheritedSockets inherited = holding(std::move(bound.socket));
        CHECK(inherited.claim(at("", bound.port)).has_value());
    }
}

TEST_CASE("a UNIX socket is claimed by its path") {
    net::TemporaryFolder folder;
    const Endpoint here{.host = {}, .port = 0, .path = folder.file("a")};
    InheritedSockets inherited = holding(bound_to(here).socket);
    CHECK_FALSE(inherited.claim({.host = {}, .port = 0, .path = folder.file("b")}).has_value());
    CHECK(inherited.claim(here).has_value());
}

TEST_CASE("what is claimed behaves as a socket of weir's own") {
    Bound bound = bound_to(at("127.0.0.1", 0));
    fcntl(bound.socket.get(), F_SETFL, 0);
    fcntl(bound.socket.get(), F_SETFD, 0);
    int delayed = 0;
    setsockopt(bound.socket.get(), IPPROTO_TCP, TCP_NODELAY, &delayed, sizeof delayed);
    InheritedSockets inherited = holding(std::move(bound.socket));
    const auto claimed = inherited.claim(at("127.0.0.1", bound.port));
    REQUIRE(claimed.has_value());
    CHECK((fcntl(claimed->get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(claimed->get(), F_GETFD) & FD_CLOEXEC) != 0);
    int at_once = 0;
    socklen_t length = sizeof at_once;
    getsockopt(claimed->get(), IPPROTO_TCP, TCP_NODELAY, &at_once, &length);
    CHECK(at_once == 1);
}

}  // namespace weir::app
