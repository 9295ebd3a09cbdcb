#include "app/server.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "net/sockets.h"
#include "proxy/worker_parts.h"

namespace weir::app {

namespace {

Endpoint on_loopback(uint16_t port = 0) { return {.host = "127.0.0.1", .port = port, .path = {}}; }
Endpoint at_path(const std::string& path) { return {.host = {}, .port = 0, .path = path}; }

config::Settings listening_on(const Endpoint& endpoint) {
    config::Settings settings = proxy::wide_settings();
    settings.listen = {{.address = endpoint}};
    return settings;
}

std::string refusal_of(const config::Settings& settings) {
    auto server = Server::start({.settings = settings});
    REQUIRE_FALSE(server.has_value());
    return server.error();
}

}  // namespace

TEST_CASE("a server says where it listens, with the ports that the kernel chose") {
    net::TemporaryFolder folder;
    config::Settings settings = listening_on(on_loopback());
    settings.workers = 2;
    settings.listen.push_back({.address = at_path(folder.file("weir.sock"))});
    auto server = Server::start({.settings = settings});
    REQUIRE(server.has_value());
    const auto addresses = (*server)->addresses();
    REQUIRE(addresses.size() == 2);
    CHECK(addresses[0].starts_with("127.0.0.1:"));
    CHECK_FALSE(addresses[0].ends_with(":0"));
    CHECK(addresses[1] == "unix:" + folder.file("weir.sock"));
}

TEST_CASE("a server takes its UNIX socket's file with it") {
    net::TemporaryFolder folder;
    const std::string path = folder.file("weir.sock");
    {
        auto server = Server::start({.settings = listening_on(at_path(path))});
        REQUIRE(server.has_value());
        CHECK(std::filesystem::is_socket(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a server with several workers does not share a port with somebody else") {
    auto taken = net::listen_on(on_loopback(), {.share_port = true});
    REQUIRE(taken.has_value());
    config::Settings settings = listening_on(on_loopback(net::SocketAddress::local_of(*taken).port()));
    settings.workers = 2;
    CHECK(refusal_of(settings).ends_with(": Address already in use; as root `ss -ltnp` shows by whom"));
}

TEST_CASE("a port in use keeps the server from starting, and is named") {
    net::Fd taken = net::listen_on_loopback();
    const uint16_t port = net::SocketAddress::local_of(taken).port();
    CHECK(refusal_of(listening_on(on_loopback(port))) ==
          "cannot listen on 127.0.0.1:" + std::to_string(port) +
              ": Address already in use; as root `ss -ltnp` shows by whom");
}

TEST_CASE("an admin address that was asked for and is taken keeps the server from starting") {
    net::Fd taken = net::listen_on_loopback();
    config::Settings settings = listening_on(on_loopback());
    settings.admin = {.address = on_loopback(net::SocketAddress::local_of(taken).port()),
                      .is_address_own = true,
                      .token = {}};
    const std::string refusal = refusal_of(settings);
    CHECK_MESSAGE(refusal.starts_with("the admin address: cannot listen on 127.0.0.1:"), refusal);
}

TEST_CASE("without the default admin address, which another weir may have, a server starts all the same") {
    net::Fd taken = net::listen_on_loopback();
    config::Settings settings = listening_on(on_loopback());
    settings.log.level = config::LogLevel::error;
    settings.admin.address = on_loopback(net::SocketAddress::local_of(taken).port());
    auto server = Server::start({.settings = settings});
    REQUIRE(server.has_value());
    CHECK((*server)->admin_address().empty());
    settings.admin.address = on_loopback();
    auto other = Server::start({.settings = settings});
    REQUIRE(other.has_value());
    CHECK((*other)->admin_address().starts_with("127.0.0.1:"));
}

TEST_CASE("an access log that cannot be opened keeps the server from starting, and is named") {
    net::TemporaryFolder folder;
    config::Settings settings = listening_on(on_loopback());
    settings.log.access = folder.file("missing/access.log");
    const std::string refusal = refusal_of(settings);
    CHECK_MESSAGE(refusal.find(settings.log.access) != std::string::npos, refusal);
    CHECK_MESSAGE(refusal.find("No such file or directory") != std::string::npos, refusal);
}

TEST_CASE("a server that cannot start leaves another one's UNIX socket alone") {
    net::TemporaryFolder folder;
    const Endpoint endpoint = at_path(folder.file("weir.sock"));
    auto others = net::listen_on(endpoint, {});
    REQUIRE(others.has_value());
    CHECK(refusal_of(listening_on(endpoint)).find("Address already in use") != std::string::npos);
    CHECK(std::filesystem::exists(endpoint.path));
}

TEST_CASE("a server that cannot start removes no file that it did not make") {
    net::TemporaryFolder folder;
    const std::string path = folder.file("notes.txt");
    std::ofstream(path) << "keep me";
    refusal_of(listening_on(at_path(path)));
    CHECK(std::filesystem::exists(path));
}

}  // namespace weir::app
