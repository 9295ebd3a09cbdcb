#include "http/ip_text.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::http {

TEST_CASE("an IPv4 address is the IPv6 address that stands for it") {
    const IpBytes address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 255};
    CHECK(ipv4_of("192.0.2.255") == address);
    CHECK(ipv6_of("::ffff:192.0.2.255") == address);
    CHECK(ipv6_of("::FFFF:c000:02ff") == address);
    CHECK(ipv4_of("0.0.0.0") == IpBytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
}

TEST_CASE("an IPv6 address is read in each of its ways") {
    const IpBytes address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    CHECK(ipv6_of("2001:db8::7") == address);
    CHECK(ipv6_of("2001:DB8:0:0:0:0:0:7") == address);
    CHECK(ipv6_of("2001:0db8:0000:0000:0000:0000:0000:0007") == address);
    CHECK(ipv6_of("::") == IpBytes{});
    CHECK(ipv6_of("0000:0000:0000:0000:0000:ffff:255.255.255.255").has_value());  // the longest
}

TEST_CASE("what two readers could read differently is no IPv4 address") {
    for (const char* text :
         {"",           " ",         "1",        "1.2",        "1.2.3",    "1.2.3.4.5",  "256.1.1.1",
          "1.2.3.-4",   "1..3.4",    "1.2.3.4 ", " 1.2.3.4",   "01.2.3.4", "1.2.3.010",  "0x7f.0.0.1",
          "1.2.3.4:80", "1.2.3.4\n", "a.b.c.d",  "1.2.3.1000", "127.1",    "2130706433", "::1"})
        CHECK_MESSAGE(!ipv4_of(text), text);
}

TEST_CASE("what is more than an IPv6 address, or less, is none") {
    for (const char* text : {"", ":", ":::", "1", "1.2.3.4", "[::1]", "::1%lo", "fe80::1%25eth0", "::1/128",
                             "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", " ::1",
                             "::1 ", "::1\n", "::ffff:1.2.3", "::1.2.3.256"})
        CHECK_MESSAGE(!ipv6_of(text), text);
}

TEST_CASE("a text with a zero byte in it, or that never ends, is no address") {
    CHECK_FALSE(ipv4_of(std::string("1.2.3.4\0", 8)));
    CHECK_FALSE(ipv4_of(std::string("1.2.3.4\0.5", 10)));
    CHECK_FALSE(ipv6_of(std::string("::1\0", 4)));
    for (const size_t length : {45, 46, 47, 1000}) {
        CHECK_FALSE(ipv4_of(std::string(length, '1')));
        CHECK_FALSE(ipv6_of(std::string(length, ':')));
    }
    const std::string digits = "1.2.3.45";
    CHECK(ipv4_of(std::string_view(digits).substr(0, 7)) == ipv4_of("1.2.3.4"));  // not terminated
}

}  // namespace weir::http
