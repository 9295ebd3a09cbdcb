#include "config/identity.h"

#include <algorithm>
#include <array>

#include <doctest/doctest.h>

using namespace weir::config;

namespace {

constexpr std::array<std::string_view, 4> kWords{"ip", "route", "all", ""};

KeyPart part(std::string_view text) { return *parse_key_part(text, kWords); }

std::string wrong_cidr(std::string_view text) {
    auto result = parse_cidr(text);
    REQUIRE_FALSE(result.has_value());
    return result.error().message + " | " + result.error().hint;
}

}  // namespace

TEST_CASE("a key is made of words, header fields and cookies") {
    CHECK(part("ip").kind == KeyPart::Kind::ip);
    CHECK(part("route").kind == KeyPart::Kind::route);
    CHECK(part("all").kind == KeyPart::Kind::all);
    CHECK(part("header:X-Api-Key") == KeyPart{KeyPart::Kind::header, "x-api-key"});
    CHECK(part("cookie:Sid") == KeyPart{KeyPart::Kind::cookie, "Sid"});
    CHECK(format_key({part("ip"), part("header:A")}) == "ip and header:a");
    for (const char* text :
         {"", "client", "header", "header:", "header: X", "cookie:a b", "cookie:a=b", "IP", "x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_key_part(text, kWords).has_value());
    }
}

TEST_CASE("a block of addresses is held as IPv6") {
    const Cidr ten = *parse_cidr("10.0.0.0/8");
    CHECK(ten.prefix_bits == 104);
    CHECK(ten.address == std::array<uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0});
    CHECK(parse_cidr("127.0.0.1")->prefix_bits == 128);
    CHECK(parse_cidr("::1")->address[15] == 1);
    CHECK(parse_cidr("fd00::/8")->prefix_bits == 8);
    CHECK(*parse_cidr("::ffff:10.0.0.0/104") == ten);
    CHECK(parse_cidr("10.1.2.254/31")->address[15] == 254);
    CHECK(parse_cidr("2001:db8:0:fe00::/55")->prefix_bits == 55);
}

TEST_CASE("a block with bits behind its prefix is put right") {
    CHECK(wrong_cidr("10.0.0.1/8") ==
          "`10.0.0.1/8` has bits set behind its prefix | did you mean `10.0.0.0/8` or `10.0.0.1`?");
    CHECK(wrong_cidr("fd00:1::/12").find("`fd00::/12`") != std::string::npos);
    CHECK(wrong_cidr("2001:db8:0:ff00::/55").find("`2001:db8:0:fe00::/55`") != std::string::npos);
    CHECK(wrong_cidr("10.0.0.0/33").ends_with("allowed: 0 to 32 behind the slash"));
    CHECK(wrong_cidr("::/129").ends_with("allowed: 0 to 128 behind the slash"));
    for (const char* text :
         {"", "/8", "10.0.0.0/", "10.0.0/8", "localhost", "[::1]", "::1/x", "10.0.0.0/08", "1.2.3.4/8/8"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_cidr(text).has_value());
    }
}

TEST_CASE("everyone is recognised in either family") {
    CHECK(is_everyone(*parse_cidr("0.0.0.0/0")));
    CHECK(is_everyone(*parse_cidr("::/0")));
    CHECK(is_everyone(*parse_cidr("::ffff:0.0.0.0/96")));
    CHECK_FALSE(is_everyone(*parse_cidr("0.0.0.0/1")));
    CHECK_FALSE(is_everyone(*parse_cidr("::/1")));
    CHECK_FALSE(is_everyone(*parse_cidr("0.0.0.0")));
}
