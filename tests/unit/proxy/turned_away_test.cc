#include "proxy/turned_away.h"

#include <doctest/doctest.h>

#include <string>

#include "http/head_parser.h"
#include "net/tls_server_context.h"

namespace weir::proxy {

namespace {

const net::TlsDoor kDoor{nullptr};

/// "308 LOCATION", "400" or "421"; "" where the request is in the right place.
std::string said(const WayIn& way, const std::string& target = "/x?y", const std::string& host = "app.test") {
    const std::string bytes = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    http::RequestHead head;
    const http::HeadLimits limits{.head_bytes = 1000, .fields = 10, .uri_bytes = 1000};
    REQUIRE_FALSE(http::parse_request_head(bytes, limits, head));
    const auto found = turned_away(way, head);
    if (!found) return {};
    if (!found->location.empty()) return "308 " + found->location;
    CHECK_FALSE(found->detail.empty());
    return std::to_string(http::text_of(found->reason).status);
}

}  // namespace

TEST_CASE("what comes in where it belongs is served") {
    const Entrance plain;
    const Entrance secure{.tls = &kDoor};
    CHECK(said({.entrance = plain}) == "");
    CHECK(said({.entrance = plain, .scheme = "https"}) == "");
    CHECK(said({.entrance = secure, .is_tls = true, .scheme = "https"}) == "");
}

TEST_CASE("plain HTTP where TLS is due is refused, whatever somebody says of it") {
    const Entrance secure{.tls = &kDoor};
    CHECK(said({.entrance = secure}) == "400");
    CHECK(said({.entrance = secure, .scheme = "https"}) == "400");
}

TEST_CASE("a host that the handshake does not cover is misdirected") {
    const Entrance secure{.tls = &kDoor};
    CHECK(said({.entrance = secure, .is_tls = true, .is_admitted = false, .scheme = "https"}) == "421");
}

TEST_CASE("a request is sent on to https at its own host, on the port that is said") {
    const Entrance to_443{.redirect_https = 443};
    const Entrance to_8443{.redirect_https = 8443};
    CHECK(said({.entrance = to_443}) == "308 https://app.test/x?y");
    CHECK(said({.entrance = to_8443}, "/", "app.test:80") == "308 https://app.test:8443/");
    CHECK(said({.entrance = to_443}, "//evil.test", "[2001:db8::7]:80") ==
          "308 https://[2001:db8::7]//evil.test");
    CHECK(said({.entrance = to_443}, "http://other.test/x") == "308 https://other.test/x");
    CHECK(said({.entrance = to_443, .scheme = "https"}) == "");
}

TEST_CASE("a request is not sent on to what could be no host or path") {
    const Entrance sends_on{.redirect_https = 443};
    CHECK(said({.entrance = sends_on}, "/", "a!b") == "400");
    CHECK(said({.entrance = sends_on}, "/", "a%41") == "400");
}

}  // namespace weir::proxy
