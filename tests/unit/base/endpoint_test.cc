#include "base/endpoint.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace weir {
namespace {

std::string error_of(std::string_view text) {
    const Result<Endpoint> result = parse_endpoint(text);
    return result ? "accepted as " + to_string(*result) : result.error();
}

bool mentions(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

Endpoint host_and_port(std::string host, uint16_t port) {
    return {.host = std::move(host), .port = port, .path = {}};
}

TEST_CASE("every form of an endpoint is read, and written back as it was") {
    struct Example {
        std::string_view text;
        Endpoint endpoint;
    };
    const std::array examples{
        Example{":8080", host_and_port("", 8080)},
        Example{"127.0.0.1:80", host_and_port("127.0.0.1", 80)},
        Example{"0.0.0.0:0", host_and_port("0.0.0.0", 0)},
        Example{"localhost:65535", host_and_port("localhost", 65535)},
        Example{"my_app-1.internal.:5000", host_and_port("my_app-1.internal.", 5000)},
        Example{"unix.example:80", host_and_port("unix.example", 80)},
        Example{"[::1]:80", host_and_port("::1", 80)},
        Example{"[2001:db8::192.0.2.1]:443", host_and_port("2001:db8::192.0.2.1", 443)},
        Example{"[fe80::1%eth0]:443", host_and_port("fe80::1%eth0", 443)},
        Example{"unix:/run/app.sock", {.host = {}, .port = 0, .path = "/run/app.sock"}},
        Example{"unix:/run/my app:1.sock", {.host = {}, .port = 0, .path = "/run/my app:1.sock"}},
    };
    for (const Example& example : examples) {
        CAPTURE(example.text);
        const Result<Endpoint> result = parse_endpoint(example.text);
        REQUIRE(result);
        CHECK(*result == example.endpoint);
        CHECK(result->is_unix() == !example.endpoint.path.empty());
        CHECK(to_string(*result) == example.text);
    }
}

TEST_CASE("the error says what would be right") {
    struct Example {
        std::string_view text;
        std::string_view advice;
    };
    const std::array examples{
        Example{"", "host:port, [v6]:port, :port or unix:/path"},
        Example{"localhost", "the port is missing: write localhost:8080"},
        Example{"localhost:", "the port is missing: write localhost:8080"},
        Example{"127.0.0.1", "the port is missing: write 127.0.0.1:8080"},
        Example{":", "the port is missing: write :8080"},
        Example{"[::1]", "the port is missing: write [::1]:8080"},
        Example{"[::1]:", "the port is missing: write [::1]:8080"},
        Example{"8080", "write :8080"},
        Example{"localhost:http", "0 to 65535, not \"http\""},
        Example{"localhost:65536", "0 to 65535, not \"65536\""},
        Example{"localhost:-1", "0 to 65535, not \"-1\""},
        Example{"localhost:+1", "0 to 65535, not \"+1\""},
        Example{"localhost: 80", "0 to 65535, not \" 80\""},
        Example{"localhost:80x", "0 to 65535, not \"80x\""},
        Example{"localhost:80/", "0 to 65535, not \"80/\""},
        Example{"localhost:80:90", "0 to 65535, not \"80:90\""},
        Example{"[::1]:80 x", "0 to 65535, not \"80 x\""},
        Example{"::1", "an IPv6 address needs brackets"},
        Example{"::", "an IPv6 address needs brackets"},
        Example{"::1:80", "an IPv6 address needs brackets"},
        Example{"2001:db8:0:0:0:0:0:1:80", "an IPv6 address needs brackets"},
        Example{"fe80::1%eth0:80", "an IPv6 address needs brackets"},
        Example{"[::1", "closing bracket is missing"},
        Example{"[::1]80", "must follow the bracket, not \"80\""},
        Example{"[::1]x:80", "must follow the bracket, not \"x:80\""},
        Example{"[]:80", "\"\" is none"},
        Example{"[127.0.0.1]:80", "\"127.0.0.1\" is none"},
        Example{"[localhost]:80", "\"localhost\" is none"},
        Example{"[fe80::1%]:80", "\"fe80::1%\" is none"},
        Example{"*:80", "every address write :port"},
        Example{"http://localhost:80", "no scheme"},
        Example{"user@localhost:80", "\"user@localhost\" does not"},
        Example{"my host:80", "\"my host\" does not"},
        Example{"b\xc3\xbc"
                "cher:80",
                "a host consists of"},
        Example{"256.0.0.1:80", "\"256.0.0.1\" is not an IPv4 address"},
        Example{"127.1:80", "\"127.1\" is not an IPv4 address"},
        Example{"1:80", "\"1\" is not an IPv4 address"},
        Example{" localhost:80", "no space before or after"},
        Example{"localhost:80 ", "no space before or after"},
        Example{"local\thost:80", "no control character"},
        Example{"unix:/run/app.sock\n", "no control character"},
        Example{std::string_view("localhost\0:80", 13), "no control character"},
        Example{"unix:", "absolute path: write unix:/path"},
        Example{"unix:app.sock", "not \"unix:app.sock\""},
        Example{"unix:@abstract", "absolute path: write unix:/path"},
        Example{"/run/app.sock", "a host consists of"},
    };
    for (const Example& example : examples) {
        CAPTURE(example.text);
        const std::string error = error_of(example.text);
        CAPTURE(error);
        CHECK(mentions(error, example.advice));
        CHECK(error.find('\n') == std::string::npos);
    }
}

TEST_CASE("a UNIX socket's path may fill the kernel's 107 bytes and no more") {
    const std::string longest = "unix:/" + std::string(106, 'p');
    CHECK(parse_endpoint(longest).has_value());
    CHECK(mentions(error_of(longest + 'p'), "at most 107 bytes, this one has 108"));
}

TEST_CASE("a host name may have 253 bytes and no more") {
    const std::string longest(253, 'h');
    CHECK(parse_endpoint(longest + ":80").has_value());
    CHECK(mentions(error_of('h' + longest + ":80"), "at most 253 bytes, this one has 254"));
}

}  // namespace
}  // namespace weir
