#include "net/socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "net/sockets.h"

namespace weir::net {

namespace {

Endpoint on_host(const std::string& host, uint16_t port = 0) {
    return {.host = host, .port = port, .path = {}};
}
Endpoint at_path(const std::string& path) { return {.host = {}, .port = 0, .path = path}; }

SocketAddress literal(const Endpoint& endpoint) {
    auto made = SocketAddress::literal(endpoint);
    REQUIRE(made.has_value());
    return *made;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

std::string written(const IpAddress& address) {
    char text[IpAddress::kMaxText];
    return {text, address.write(text)};
}

IpAddress ip(const std::string& host) { return IpAddress::of(literal(on_host(host)).get()); }

}  // namespace

// ---- Fd

TEST_CASE("a descriptor is closed when its owner ends") {
    int number;
    {
        Fd fd(::dup(STDERR_FILENO));
        number = fd.get();
        CHECK(fd);
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
    CHECK_FALSE(Fd());
}

TEST_CASE("a descriptor moves, and the one it replaces is closed") {
    Fd first(::dup(STDERR_FILENO));
    Fd second(::dup(STDERR_FILENO));
    const int replaced = first.get();
    const int moved = second.get();
    first = std::move(second);
    CHECK(first.get() == moved);
    CHECK(is_open(moved));
    CHECK_FALSE(is_open(replaced));
    Fd third(std::move(first));
    CHECK(third.get() == moved);
    third = Fd();
    CHECK_FALSE(third);
    CHECK_FALSE(is_open(moved));
}

// ---- addresses

TEST_CASE("a literal address is taken as it is, a name is not") {
    const SocketAddress v4 = literal(on_host("192.0.2.7", 80));
    CHECK(v4.family() == AF_INET);
    CHECK(v4.port() == 80);
    CHECK(v4.text() == "192.0.2.7:80");
    const SocketAddress v6 = literal(on_host("2001:db8::7", 65535));
    CHECK(v6.family() == AF_INET6);
    CHECK(v6.port() == 65535);
    CHECK(v6.text() == "[2001:db8::7]:65535");
    const SocketAddress path = literal(at_path("/run/app.sock"));
    CHECK(path.family() == AF_UNIX);
    CHECK(path.port() == 0);
    CHECK(path.text() == "unix:/run/app.sock");
    for (const char* name : {"localhost", "app.example", "192.0.2", "192.0.2.256", "[2001:db8::7]", ""})
        CHECK_FALSE_MESSAGE(SocketAddress::literal(on_host(name, 80)).has_value(), name);
}

TEST_CASE("a UNIX path that does not fit is no address") {
    CHECK(SocketAddress::literal(at_path("/" + std::string(106, 'x'))).has_value());
    CHECK_FALSE(SocketAddress::literal(at_path("/" + std::string(107, 'x'))).has_value());
}

TEST_CASE("addresses are equal where host, port and path are") {
    CHECK(literal(on_host("192.0.2.7", 80)) == literal(on_host("192.0.2.7", 80)));
    CHECK_FALSE(literal(on_host("192.0.2.7", 80)) == literal(on_host("192.0.2.7", 81)));
    CHECK_FALSE(literal(on_host("192.0.2.7", 80)) == literal(on_host("192.0.2.8", 80)));
    CHECK_FALSE(literal(on_host("0.0.0.0", 80)) == literal(on_host("::", 80)));
    CHECK(literal(at_path("/a")) == literal(at_path("/a")));
    CHECK_FALSE(literal(at_path("/a")) == literal(at_path("/b")));
}

TEST_CASE("an IP address is written as people write it") {
    for (const char* text : {"192.0.2.7", "255.255.255.255", "0.0.0.0", "10.0.100.1", "2001:db8::7", "::1",
                             "fe80:1111:2222:3333:4444:5555:6666:7777"})
        CHECK(written(ip(text)) == text);
    CHECK(written(IpAddress{}) == "unix");
}

TEST_CASE("an IPv4 client is the same one whichever socket it came in by") {
    CHECK(ip("::ffff:192.0.2.7") == ip("192.0.2.7"));
    CHECK(written(ip("::ffff:192.0.2.7")) == "192.0.2.7");
    CHECK(ip("192.0.2.7").is_v4());
    CHECK_FALSE(ip("2001:db8::7").is_v4());
    CHECK_FALSE(IpAddress{}.is_v4());
    CHECK(IpAddress::of(literal(at_path("/run/app.sock")).get()) == IpAddress{});
}

// ---- listening

TEST_CASE("port 0 leaves the choice to the kernel, and the socket takes connections without blocking") {
    Fd listening = listen_on_loopback();
    const SocketAddress local = SocketAddress::local_of(listening);
    CHECK(local.port() != 0);
    CHECK_FALSE(accept_one(listening));
    CHECK(errno == EAGAIN);
    Fd client = connect_to(local);
    Fd accepted = accept_one(listening);
    REQUIRE(accepted);
    CHECK(socket_error(client) == 0);
    int no_delay = 0;
    socklen_t length = sizeof no_delay;
    ::getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &length);
    CHECK(no_delay != 0);
}

TEST_CASE("an address in use is refused by name and cause") {
    Fd first = listen_on_loopback();
    const uint16_t port = SocketAddress::local_of(first).port();
    auto second = listen_on(on_host("127.0.0.1", port), {});
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error() == "cannot listen on 127.0.0.1:" + std::to_string(port) +
                                ": Address already in use; as root `ss -ltnp` shows by whom");
}

TEST_CASE("an address of another machine is refused by cause, too") {
    auto elsewhere = listen_on(on_host("192.0.2.1", 8080), {});
    REQUIRE_FALSE(elsewhere);
    CHECK(
        elsewhere.error() ==
        "cannot listen on 192.0.2.1:8080: Cannot assign requested address; it is no address of this machine");
}

TEST_CASE("one port can be shared by those who agree to it, one socket each") {
    auto first = listen_on(on_host("127.0.0.1"), {.share_port = true});
    REQUIRE(first.has_value());
    const uint16_t port = SocketAddress::local_of(*first).port();
    CHECK(listen_on(on_host("127.0.0.1", port), {.share_port = true}).has_value());
    CHECK_FALSE(listen_on(on_host("127.0.0.1", port), {}).has_value());
}

TEST_CASE("a name cannot be listened on, but localhost can") {
    auto named = listen_on(on_host("app.example", 80), {});
    REQUIRE_FALSE(named.has_value());
    CHECK(named.error() == "cannot listen on app.example:80: an address is needed there, not a name");
    auto local = listen_on(on_host("localhost"), {});
    REQUIRE(local.has_value());
    CHECK(SocketAddress::local_of(*local).text().starts_with("127.0.0.1:"));
}

TEST_CASE("no host means every address, IPv4 ones too") {
    auto listening = listen_on(on_host(""), {});
    REQUIRE(listening.has_value());
    Fd client = connect_to(literal(on_host("127.0.0.1", SocketAddress::local_of(*listening).port())));
    CHECK(accept_one(*listening));
}

TEST_CASE("no host means every address or none: one that is taken is not passed over") {
    auto taken = listen_on(on_host("::1"), {});
    if (!taken) return;  // a machine without IPv6
    auto listening = listen_on(on_host("", SocketAddress::local_of(*taken).port()), {});
    REQUIRE_FALSE(listening.has_value());
    CHECK(listening.error().find("Address already in use") != std::string::npos);
}

// ---- UNIX sockets

TEST_CASE("a UNIX socket's file has the mode that was asked for") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    auto listening = listen_on(at_path(path), {.unix_mode = 0600});
    REQUIRE(listening.has_value());
    CHECK(SocketAddress::local_of(*listening).text() == "unix:" + path);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    Fd client = connect_to(literal(at_path(path)));
    CHECK(accept_one(*listening));
}

TEST_CASE("a UNIX socket that a dead process left behind is replaced") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    { REQUIRE(listen_on(at_path(path), {}).has_value()); }
    REQUIRE(std::filesystem::exists(path));
    auto listening = listen_on(at_path(path), {});
    REQUIRE(listening.has_value());
    Fd client = connect_to(literal(at_path(path)));
    CHECK(accept_one(*listening));
}

TEST_CASE("a UNIX socket that somebody answers on is left to them") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    auto first = listen_on(at_path(path), {});
    REQUIRE(first.has_value());
    auto second = listen_on(at_path(path), {});
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error() == "cannot listen on unix:" + path + ": Address already in use");
    // The question whether somebody answers is a connection of its own.
    CHECK(accept_one(*first));
    Fd client = connect_to(literal(at_path(path)));
    CHECK(accept_one(*first));
}

TEST_CASE("a UNIX socket whose owner is too busy to answer is left alone too, without waiting for it") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    const SocketAddress address = literal(at_path(path));
    Fd busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(busy.get(), address.get(), address.length()) == 0);
    REQUIRE(::listen(busy.get(), 0) == 0);
    std::vector<Fd> queue;
    for (auto waiting = start_connect(address); waiting; waiting = start_connect(address))
        queue.push_back(std::move(*waiting));
    CHECK_FALSE(listen_on(at_path(path), {}).has_value());
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("a file that is no socket is never replaced by one") {
    TemporaryFolder folder;
    const std::string path = folder.file("notes.txt");
    std::ofstream(path) << "keep me";
    CHECK_FALSE(listen_on(at_path(path), {}).has_value());
    CHECK(std::filesystem::is_regular_file(path));
    CHECK(std::filesystem::file_size(path) == 7);
}

TEST_CASE("a socket's file goes with its owner, wherever that moves") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    auto listening = listen_on(at_path(path), {});
    REQUIRE(listening.has_value());
    {
        std::vector<SocketFile> files;
        files.emplace_back(path);
        files.reserve(files.capacity() + 1);
        CHECK(std::filesystem::exists(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a socket's file that has become somebody else's is left alone") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    auto first = listen_on(at_path(path), {});
    REQUIRE(first.has_value());
    {
        SocketFile file(path);
        // While both files exist they cannot be the same inode.
        auto second = listen_on(at_path(folder.file("new.sock")), {});
        REQUIRE(second.has_value());
        std::filesystem::rename(folder.file("new.sock"), path);
    }
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("a socket's file that is gone already is missed by nobody") {
    TemporaryFolder folder;
    const std::string path = folder.file("app.sock");
    auto listening = listen_on(at_path(path), {});
    REQUIRE(listening.has_value());
    SocketFile file(path);
    std::filesystem::remove(path);
}

// ---- connecting

TEST_CASE("a connection that nobody accepts is refused, at once or when it is settled") {
    uint16_t port;
    {
        Fd gone = listen_on_loopback();
        port = SocketAddress::local_of(gone).port();
    }
    auto fd = start_connect(literal(on_host("127.0.0.1", port)));
    const int error = fd ? socket_error(*fd) : fd.error();
    CHECK(error == ECONNREFUSED);
    if (fd) CHECK_MESSAGE(socket_error(*fd) == 0, "reading an error clears it");
}

TEST_CASE("a UNIX socket that is not there cannot be connected to") {
    TemporaryFolder folder;
    auto fd = start_connect(literal(at_path(folder.file("nobody.sock"))));
    REQUIRE_FALSE(fd.has_value());
    CHECK(fd.error() == ENOENT);
}

TEST_CASE("what this machine lacks is told apart from what the other side refuses") {
    for (int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL}) CHECK(is_shortage(error));
    for (int error : {0, EAGAIN, ECONNREFUSED, ENOENT, ETIMEDOUT}) CHECK_FALSE(is_shortage(error));
}

// ---- what the peer has had

TEST_CASE("nothing was delivered to a peer that had closed before the write") {
    auto [near, far] = tcp_pair();
    far = Fd();
    CHECK(send_some(near, "GET / HTTP/1.1\r\n\r\n") == 18);
    CHECK(none_delivered_since(near, 0));
}

TEST_CASE("what a peer took before it closed does not count, nor does it hide what came later") {
    auto [near, far] = tcp_pair();
    REQUIRE(send_some(near, "first") == 5);
    REQUIRE(receive(far) == "first");
    CHECK_FALSE(none_delivered_since(near, 0));
    CHECK(none_delivered_since(near, 5));
    far = Fd();
    REQUIRE(send_some(near, "second") == 6);
    CHECK(none_delivered_since(near, 5));
    CHECK_FALSE(none_delivered_since(near, 4));
}

TEST_CASE("what lies in the peer's kernel is delivered, read or not") {
    auto [near, far] = tcp_pair();
    REQUIRE(send_some(near, "request") == 7);
    CHECK_FALSE(none_delivered_since(near, 0));
    CHECK_FALSE(none_delivered_since(near, 6));
    CHECK(none_delivered_since(near, 7));
    REQUIRE(receive(far) == "request");
    far = Fd();
    CHECK_FALSE(none_delivered_since(near, 0));
}

TEST_CASE("a UNIX socket cannot tell what was delivered, which counts as delivered") {
    auto [near, far] = unix_pair();
    far = Fd();
    send_some(near, "request");
    CHECK_FALSE(none_delivered_since(near, 0));
}

}  // namespace weir::net
