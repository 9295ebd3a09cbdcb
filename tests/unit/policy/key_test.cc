#include "policy/key.h"

#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Kind = KeyPart::Kind;

constexpr HashSeed kSeed{1, 2};
const KeySpec kByIp{{Kind::ip, {}}};
const KeySpec kByHeader{{Kind::header, "x-api-key"}};
const KeySpec kByCookie{{Kind::cookie, "sid"}};

/// Names in lower case on both sides here; the proxy's ignores case.
std::string_view line_of(const void* head, std::string_view name, size_t nth) {
    for (const auto& [field, value] : *static_cast<const Fields*>(head)) {
        if (field == name && nth-- == 0) return value;
    }
    return {};
}

uint64_t key_of(const KeySpec& spec, const IpBytes& ip, const Fields& fields = {}, uint32_t route = 0) {
    return KeyMaker(spec, 64, kSeed)({.ip = ip, .route = route, .head = &fields, .field_line = line_of});
}

const IpBytes kAlice = ipv4_bytes({192, 0, 2, 1});
const IpBytes kBob = ipv4_bytes({192, 0, 2, 2});

}  // namespace

TEST_CASE("an IPv6 address counts by its prefix, an IPv4 address whole") {
    const IpBytes a{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
    IpBytes b = a;
    b[8] = 0xff;
    CHECK(key_of(kByIp, a) == key_of(kByIp, b));
    b[7] = 2;
    CHECK(key_of(kByIp, a) != key_of(kByIp, b));
    CHECK(key_of(kByIp, kAlice) != key_of(kByIp, kBob));
    CHECK(key_of(kByIp, kAlice) == key_of(kByIp, ipv4_bytes({192, 0, 2, 1})));
}

TEST_CASE("a prefix may end within a byte, be nothing, or be everything") {
    IpBytes ones{};
    ones.fill(0xff);
    const auto kept = [&](unsigned prefix) {
        int bits = 0;
        for (const uint8_t byte : network_of(ones, prefix)) bits += __builtin_popcount(byte);
        return bits;
    };
    for (unsigned prefix = 0; prefix <= 128; ++prefix) CHECK(kept(prefix) == static_cast<int>(prefix));
    CHECK(network_of(ones, 61)[7] == 0xf8);
    CHECK(network_of(kAlice, 0) == kAlice);
}

TEST_CASE("a header or a cookie names the client wherever it calls from") {
    CHECK(key_of(kByHeader, kAlice, {{"x-api-key", "k"}}) == key_of(kByHeader, kBob, {{"x-api-key", "k"}}));
    CHECK(key_of(kByHeader, kAlice, {{"x-api-key", "k"}}) != key_of(kByHeader, kAlice, {{"x-api-key", "l"}}));
    const uint64_t seven = key_of(kByCookie, kAlice, {{"cookie", "sid=7"}});
    CHECK(key_of(kByCookie, kBob, {{"cookie", "a=b; sid=7 ;c=d"}}) == seven);
    CHECK(key_of(kByCookie, kBob, {{"cookie", "a=b"}, {"cookie", "sid=7"}}) == seven);
    CHECK(key_of(kByCookie, kBob, {{"cookie", "sid=8"}}) != seven);
    CHECK(key_of(kByCookie, kBob, {{"cookie", "sid=7=7"}}) != seven);
}

TEST_CASE("a header or cookie that is absent, empty or says two things leaves the address") {
    const uint64_t alice = key_of(kByIp, kAlice);
    CHECK(key_of(kByHeader, kAlice) == alice);
    CHECK(key_of(kByHeader, kAlice, {{"x-api-key", ""}}) == alice);
    CHECK(key_of(kByHeader, kAlice, {{"x-api-key", "a"}, {"x-api-key", "b"}}) == alice);
    CHECK(key_of(kByHeader, kAlice, {{"x-api-key", "a"}, {"x-api-key", "b"}, {"x-api-key", "b"}}) == alice);
    CHECK(key_of(kByHeader, kAlice, {{"x-api-key", "a"}, {"x-api-key", "a"}}) != alice);
    for (const char* line : {"", ";", "sid", "sid=", "Sid=7", "xsid=7", "sid=7; sid=8", "=7", " ; ;;"}) {
        INFO(line);
        CHECK(key_of(kByCookie, kAlice, {{"cookie", line}}) == alice);
    }
    CHECK(KeyMaker(kByHeader, 64, kSeed)({.ip = kAlice}) == alice);
}

TEST_CASE("a cookie that is spelled in another way names the same client") {
    const uint64_t plain = key_of(kByCookie, kAlice, {{"cookie", "sid=a%b"}});
    for (const char* line : {R"(sid="a%b")", R"(sid="\141%b")", R"(sid="\a\%b")", R"(sid="\141\045\142")",
                             R"(sid=\141\045b)", "sid=%61%25b", "sid=%61%25%62", R"(sid="%61\045b")"}) {
        INFO(line);
        CHECK(key_of(kByCookie, kAlice, {{"cookie", line}}) == plain);
    }
    for (const char* line :
         {"sid=a%", "sid=a%6", R"(sid="a%62")", R"(sid=\\a%b)", R"(sid="a%b)", R"(sid=a%b\)"}) {
        INFO(line);
        CHECK(key_of(kByCookie, kAlice, {{"cookie", line}}) != plain);
    }
    CHECK(key_of(kByCookie, kAlice, {{"cookie", R"(sid="")"}}) == key_of(kByIp, kAlice));
}

TEST_CASE("a value that spells an address is not that address") {
    const std::string spelt(kAlice.begin(), kAlice.end());
    CHECK(key_of(kByHeader, kBob, {{"x-api-key", spelt}}) != key_of(kByIp, kAlice));
}

TEST_CASE("parts together make one key, and each of them tells two clients apart") {
    const KeySpec both{{Kind::ip, {}}, {Kind::route, {}}};
    CHECK(key_of(both, kAlice, {}, 1) == key_of(both, kAlice, {}, 1));
    CHECK(key_of(both, kAlice, {}, 1) != key_of(both, kAlice, {}, 2));
    CHECK(key_of(both, kAlice, {}, 1) != key_of(both, kBob, {}, 1));
    const KeySpec route{{Kind::route, {}}};
    CHECK(key_of(route, kAlice, {}, 1) == key_of(route, kBob, {}, 1));
    const KeySpec all;
    CHECK(key_of(all, kAlice, {}, 1) == key_of(all, kBob, {}, 2));
    const KeySpec two{{Kind::header, "a"}, {Kind::header, "b"}};
    CHECK(key_of(two, kAlice, {{"a", "x"}, {"b", "y"}}) != key_of(two, kAlice, {{"a", "y"}, {"b", "x"}}));
}

TEST_CASE("another seed gives other keys") {
    const RequestView request{.ip = kAlice};
    CHECK(KeyMaker(kByIp, 64, {1, 2})(request) != KeyMaker(kByIp, 64, {1, 3})(request));
}

TEST_CASE("a key is written as in the configuration") {
    CHECK(format_key({{Kind::ip, {}}, {Kind::route, {}}}) == "ip, route");
    CHECK(format_key(kByCookie) == "cookie:sid");
    CHECK(format_key({}) == "all");
}

}  // namespace weir::policy
