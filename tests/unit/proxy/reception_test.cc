#include "proxy/reception.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "proxy/arrived.h"

using namespace std::chrono_literals;

namespace weir::proxy {

TEST_CASE("what is behind a PROXY header is served, wherever the header was cut") {
    for (size_t cut = 0; cut <= kHeader.size(); ++cut) {
        Arrived arrived;
        arrived.entrance->has_proxy_header = true;
        net::Fd far = arrived.come();
        net::send_some(far, kHeader.substr(0, cut));
        arrived.parts.driven.settle(3);
        net::send_some(far, kHeader.substr(cut) + kBadRequest);
        CHECK(arrived.answer_at(far).starts_with("HTTP/1.1 400 "));
        CHECK(arrived.clients().size() == 1);
    }
}

TEST_CASE("a header of somebody who is not trusted, or none, closes the connection without a word") {
    Arrived arrived;
    arrived.entrance->has_proxy_header = true;
    net::Fd untrusted = arrived.come(kStranger);
    net::Fd wrong = arrived.come();
    net::Fd gone = arrived.come();
    net::send_some(untrusted, kHeader);
    net::send_some(wrong, "GET / HTTP/1.1\r\n\r\n");
    net::send_some(gone, kHeader.substr(0, 10));
    net::send_end(gone);
    for (const net::Fd* far : {&untrusted, &wrong, &gone}) {
        CHECK(arrived.is_closed(*far));
        CHECK(net::receive(*far).empty());
    }
    CHECK(arrived.refused(ProxyHeaderFailure::untrusted) == 1);
    CHECK(arrived.refused(ProxyHeaderFailure::malformed) == 1);
    CHECK(arrived.refused(ProxyHeaderFailure::ended) == 1);
    CHECK(arrived.clients().empty());
    CHECK(arrived.parts.kit().gate.connections() == 0);
}

TEST_CASE("whoever opens a UNIX socket is believed where it is said so") {
    Arrived arrived;
    arrived.parts.settings.clients.trusted_proxies = {{.address = {}, .prefix_bits = 128}};
    arrived.entrance->has_proxy_header = true;
    net::Fd far = arrived.come(net::IpAddress{});
    net::send_some(far, kHeader + kBadRequest);
    CHECK(arrived.answer_at(far).starts_with("HTTP/1.1 400 "));
}

TEST_CASE("the bound for one address holds for the client that the header names") {
    Arrived arrived;
    arrived.entrance->has_proxy_header = true;
    std::vector<net::Fd> fars;
    for (int i = 0; i < 3; ++i) {
        fars.push_back(arrived.come());
        net::send_some(fars.back(), kHeader);
    }
    CHECK(arrived.is_closed(fars[2]));
    CHECK(arrived.clients().size() == 2);
    fars[0] = net::Fd();
    REQUIRE(arrived.parts.driven.until([&] { return arrived.clients().size() == 1; }));
    net::Fd next = arrived.come();
    net::send_some(next, kHeader + kBadRequest);
    CHECK(arrived.answer_at(next).starts_with("HTTP/1.1 400 "));
}

TEST_CASE("a PROXY header and a handshake that do not come in time end the connection, and are counted") {
    for (bool has_header : {true, false}) {
        Arrived arrived;
        arrived.parts.settings.timeout.header = 1ms;
        arrived.entrance->has_proxy_header = has_header;
        arrived.entrance->tls = arrived.door.get();
        net::Fd silent = arrived.come();
        net::Fd slow = arrived.come();
        net::send_some(slow, has_header ? kHeader.substr(0, 5) : std::string("\x16\x03\x01\x02", 4));
        CHECK(arrived.is_closed(silent));
        CHECK(arrived.is_closed(slow));
        CHECK(arrived.refused(ProxyHeaderFailure::timeout) == (has_header ? 2 : 0));
        CHECK(arrived.failed(HandshakeFailure::timeout) == (has_header ? 0 : 2));
        CHECK(arrived.clients().empty());
        CHECK(arrived.parts.kit().gate.connections() == 0);
    }
}

TEST_CASE(
    "a handshake leads to a client, also behind a PROXY header, and with the request in the same flight") {
    for (bool has_header : {true, false}) {
        Arrived arrived;
        arrived.entrance->has_proxy_header = has_header;
        arrived.entrance->tls = arrived.door.get();
        const auto context = arrived.client();
        net::TlsTickets tickets;
        auto pair = net::tcp_pair();
        arrived.clients().add(std::move(pair.near), kBalancer, arrived.entrance);
        if (has_header) net::send_some(pair.far, kHeader);
        net::TlsEnd far(arrived.parts.driven, std::move(pair.far), context.session("app.test", tickets));
        bool has_asked = false;
        std::string got;
        REQUIRE(arrived.parts.driven.until([&] {
            if (far.shake() && !has_asked) has_asked = far.write(kBadRequest).bytes > 0;
            if (has_asked) got += far.read_all();
            return got.find("\r\n\r\n") != std::string::npos;
        }));
        CHECK(got.starts_with("HTTP/1.1 400 "));
        CHECK(arrived.parts.kit().metrics->arrivals().full_handshakes.read() == 1);
    }
}

TEST_CASE("plain HTTP on a port for https is told so, and other noise is not answered") {
    Arrived arrived;
    arrived.entrance->tls = arrived.door.get();
    net::Fd plain = arrived.come();
    net::send_some(plain, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = arrived.answer_at(plain);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answer.find("Connection: close\r\n") != std::string::npos);
    CHECK(answer.find("port for https") != std::string::npos);
    CHECK(arrived.failed(HandshakeFailure::plain_http) == 1);
    for (const char* noise : {"\r\n", "\x80\x2e\x01", "\x15\x03\x01"}) {
        net::Fd far = arrived.come();
        net::send_some(far, noise);
        CHECK(arrived.is_closed(far));
        CHECK(net::receive(far).empty());
    }
    CHECK(arrived.failed(HandshakeFailure::not_tls) == 3);
}

TEST_CASE("however many shake hands at once, a turn of the loop does a few steps of it") {
    Arrived arrived;
    arrived.parts.settings.clients.max_connections_per_ip = 1000;
    arrived.entrance->tls = arrived.door.get();
    std::vector<net::Fd> fars;
    for (int i = 0; i < 50; ++i) {
        fars.push_back(arrived.come());
        net::send_some(fars.back(), "\x80");  // a step is enough to end it
    }
    size_t former = arrived.clients().size();
    CHECK(former == 50);
    REQUIRE(arrived.parts.driven.until([&] {
        const size_t now = arrived.clients().size();
        CHECK(former - now <= Reception::kShakes);
        former = now;
        return now == 0;
    }));
}

TEST_CASE("draining gives those who have said nothing a moment to begin, and lets the others go on") {
    Arrived arrived;
    arrived.parts.settings.clients.max_connections_per_ip = 10;
    arrived.entrance->has_proxy_header = true;
    net::Fd silent = arrived.come();
    net::Fd late = arrived.come();
    net::Fd begun = arrived.come();
    net::Fd silent_behind = arrived.come();
    net::Fd slow = arrived.come();
    net::send_some(begun, kHeader.substr(0, 10));
    arrived.parts.driven.settle(3);
    arrived.parts.kit().draining = true;
    arrived.clients().drain();
    net::send_some(silent_behind, kHeader);
    net::send_some(slow, kHeader.substr(0, 5));
    net::send_some(late, kHeader + kBadRequest);
    CHECK(arrived.answer_at(late).starts_with("HTTP/1.1 400 "));
    CHECK(net::next_at(silent) == "nothing");
    CHECK(net::next_at(silent_behind) == "nothing");
    CHECK(arrived.is_closed(silent));
    CHECK(arrived.is_closed(silent_behind));
    net::send_some(begun, kHeader.substr(10) + kBadRequest);
    CHECK(arrived.answer_at(begun).starts_with("HTTP/1.1 400 "));
    net::send_some(slow, kHeader.substr(5) + kBadRequest);
    CHECK(arrived.answer_at(slow).starts_with("HTTP/1.1 400 "));
    CHECK(arrived.refused(ProxyHeaderFailure::timeout) == 0);
}

TEST_CASE("a silent client of TLS has the same moment on a drain, before its handshake and behind a header") {
    for (const bool has_header : {false, true}) {
        Arrived arrived;
        arrived.entrance->has_proxy_header = has_header;
        arrived.entrance->tls = arrived.door.get();
        net::Fd silent = arrived.come();
        if (has_header) net::send_some(silent, kHeader);
        arrived.parts.driven.settle(3);
        arrived.parts.kit().draining = true;
        arrived.clients().drain();
        arrived.parts.driven.settle(20);
        CHECK(net::next_at(silent) == "nothing");
        CHECK(arrived.is_closed(silent));
        CHECK(arrived.failed(HandshakeFailure::timeout) == 0);
    }
}

TEST_CASE("shutting closes all, those in line too") {
    Arrived arrived;
    arrived.entrance->tls = arrived.door.get();
    std::vector<net::Fd> fars;
    for (int i = 0; i < 2; ++i) fars.push_back(arrived.come());
    net::send_some(fars[0], "\x16");
    arrived.parts.driven.settle(1);
    arrived.clients().shut();
    CHECK(arrived.clients().empty());
    for (const net::Fd& far : fars) CHECK(arrived.is_closed(far));
    CHECK(arrived.parts.kit().gate.connections() == 0);
}

}  // namespace weir::proxy
