#include "proxy/arrival.h"

#include <doctest/doctest.h>

#include <string>

#include "http/proxy_header.h"
#include "net/quiet_log.h"
#include "proxy/arrived.h"

namespace weir::proxy {

namespace {

std::string number(size_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)}; }

/// A header of version 2 for 192.0.2.7, so many bytes long, most of them filling.
std::string binary_header(size_t bytes) {
    constexpr size_t kHead = 16;
    constexpr size_t kAddresses = 12;
    const std::string addresses("\xc0\x00\x02\x07\xc0\x00\x02\x01\xdc\x04\x01\xbb", kAddresses);
    const size_t filling = bytes - kHead - kAddresses - 3;
    return std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11", 14) + number(bytes - kHead) + addresses + "\x04" +
           number(filling) + std::string(filling, '\0');
}

uint64_t all_failures(Arrived& arrived) {
    uint64_t sum = 0;
    for (size_t each = 0; each < kHandshakeFailures; ++each)
        sum += arrived.failed(static_cast<HandshakeFailure>(each));
    return sum;
}

/// Nothing is left of it, and one failure is counted.
void check_gone(Arrived& arrived, HandshakeFailure failure) {
    REQUIRE(arrived.parts.driven.until([&] { return arrived.clients().empty(); }));
    CHECK(arrived.parts.kit().gate.connections() == 0);
    CHECK(arrived.failed(failure) == 1);
    CHECK(all_failures(arrived) == 1);
}

}  // namespace

TEST_CASE("a PROXY header may be as long as it may be, and no longer") {
    for (const size_t beyond : {0, 1}) {
        Arrived arrived;
        arrived.entrance->has_proxy_header = true;
        net::Fd far = arrived.come();
        net::send_some(far, binary_header(http::kMaxProxyHeader + beyond) + kBadRequest);
        if (beyond == 0) {
            CHECK(arrived.answer_at(far).starts_with("HTTP/1.1 400 "));
        } else {
            CHECK(arrived.is_closed(far));
            CHECK(arrived.refused(ProxyHeaderFailure::malformed) == 1);
        }
    }
}

TEST_CASE("a header whose end never comes is not waited for once its peer has left") {
    Arrived arrived;
    arrived.entrance->has_proxy_header = true;
    net::Fd far = arrived.come();
    net::send_some(far, binary_header(2000).substr(0, 1999));
    arrived.parts.driven.settle(5);
    CHECK(arrived.clients().size() == 1);
    net::send_end(far);
    CHECK(arrived.is_closed(far));
    CHECK(arrived.refused(ProxyHeaderFailure::ended) == 1);
}

TEST_CASE("whoever leaves before the handshake, or within it, is counted as such") {
    for (const std::string& said : {std::string(), std::string("\x16\x03\x01\x02", 4)}) {
        Arrived arrived;
        arrived.entrance->tls = arrived.door.get();
        net::Fd far = arrived.come();
        net::send_some(far, said);
        arrived.parts.driven.settle(5);
        far = net::Fd();
        check_gone(arrived, HandshakeFailure::ended);
    }
}

TEST_CASE("a record of a handshake with nonsense in it fails, and takes nobody with it") {
    Arrived arrived;
    arrived.entrance->tls = arrived.door.get();
    net::Fd far = arrived.come();
    net::send_some(far, std::string("\x16\x03\x01\x00\x05hello", 10));
    REQUIRE(arrived.parts.driven.until([&] { return arrived.clients().empty(); }));
    CHECK(all_failures(arrived) == 1);
    CHECK(arrived.failed(HandshakeFailure::plain_http) == 0);
    CHECK(arrived.parts.kit().gate.connections() == 0);
}

TEST_CASE("what begins with a letter is taken for HTTP, and nothing else is") {
    for (const char first : {'A', 'Z', 'a', 'z'}) {
        const bool is_method = first < 'a';
        Arrived arrived;
        arrived.entrance->tls = arrived.door.get();
        net::Fd far = arrived.come();
        net::send_some(far, first + std::string(" / HTTP/1.1\r\nHost: a\r\n\r\n"));
        const std::string answer = arrived.answer_at(far);
        CHECK(answer.starts_with("HTTP/1.1 400 "));
        CHECK((answer.find("port for https") != std::string::npos) == is_method);
        CHECK(arrived.failed(HandshakeFailure::plain_http) == 1);
    }
    for (const char first : {'@', '[', '`', '{', '0', '\x15', '\x17', '\xff'}) {
        Arrived arrived;
        arrived.entrance->tls = arrived.door.get();
        net::Fd far = arrived.come();
        net::send_some(far, std::string(1, first));
        CHECK(arrived.is_closed(far));
        check_gone(arrived, HandshakeFailure::not_tls);
    }
}

TEST_CASE("a client past its bound is turned away before its handshake") {
    QuietLog quiet;
    Arrived arrived;
    arrived.parts.settings.clients.max_connections_per_ip = 1;
    arrived.entrance->has_proxy_header = true;
    arrived.entrance->tls = arrived.door.get();
    net::Fd first = arrived.come();
    net::send_some(first, kHeader);
    arrived.parts.driven.settle(5);
    net::Fd second = arrived.come();
    net::send_some(second, kHeader + "\x16\x03\x01");
    CHECK(arrived.is_closed(second));
    CHECK(arrived.clients().size() == 1);
    CHECK(all_failures(arrived) == 0);
    CHECK(arrived.parts.kit().gate.connections() == 1);
}

TEST_CASE("whoever has come by an address keeps it, though it is gone from the configuration") {
    Arrived arrived;
    arrived.entrance->has_proxy_header = true;
    net::Fd far = arrived.come();
    const std::weak_ptr<const Entrance> entrance = std::exchange(arrived.entrance, nullptr);
    CHECK_FALSE(entrance.expired());
    net::send_some(far, kHeader + kBadRequest);
    CHECK(arrived.answer_at(far).starts_with("HTTP/1.1 400 "));
    far = net::Fd();
    REQUIRE(arrived.parts.driven.until([&] { return arrived.clients().empty(); }));
    arrived.parts.driven.settle(1);
    CHECK(entrance.expired());
}

}  // namespace weir::proxy
