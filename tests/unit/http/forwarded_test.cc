#include "http/forwarded.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "random_source.h"

using namespace weir::http;

namespace {

IpBytes ip(const std::string& text) {
    IpBytes address{};
    const std::string v6 = text.find(':') == std::string::npos ? "::ffff:" + text : text;
    if (inet_pton(AF_INET6, v6.c_str(), address.data()) != 1) throw std::invalid_argument(text);
    return address;
}

/// 10.x.x.x and fd00::/8.
constexpr auto is_trusted = [](const IpBytes& address) {
    return (address[0] == 0 && address[10] == 0xff && address[12] == 10) || address[0] == 0xfd;
};

struct Line {
    FieldId id;
    std::string value;
};

ForwardedClient client_from(const std::string& peer, const std::vector<Line>& lines) {
    std::vector<Field> fields;
    for (const Line& line : lines) fields.push_back({.name = "", .value = line.value, .id = line.id});
    return forwarded_client(ip(peer), fields, is_trusted);
}

constexpr FieldId kXff = FieldId::x_forwarded_for;
constexpr FieldId kForwarded = FieldId::forwarded;

IpBytes by_xff(const std::string& value) { return client_from("10.0.0.1", {{kXff, value}}).address; }
IpBytes by_forwarded(const std::string& value) {
    return client_from("10.0.0.1", {{kForwarded, value}}).address;
}

const IpBytes kPeer = ip("10.0.0.1");
const IpBytes kClient = ip("192.0.2.7");

}  // namespace

TEST_CASE("a peer that is not trusted is the client, whatever it says") {
    const ForwardedClient found =
        client_from("198.51.100.1", {{kXff, "192.0.2.7"}, {kForwarded, "for=192.0.2.7"}});
    CHECK(found.address == ip("198.51.100.1"));
    CHECK_FALSE(found.peer_is_trusted);
    CHECK_FALSE(found.is_disputed);
}

TEST_CASE("a trusted peer that says nothing is the client") {
    const ForwardedClient found = client_from("10.0.0.1", {{FieldId::x_forwarded_host, "192.0.2.7"}});
    CHECK(found.address == kPeer);
    CHECK(found.peer_is_trusted);
    CHECK(by_xff("") == kPeer);
    CHECK(by_xff(" ,, ") == kPeer);
    CHECK(by_forwarded("") == kPeer);
}

TEST_CASE("the client is the first from the right that is not trusted") {
    CHECK(by_xff("192.0.2.7") == kClient);
    CHECK(by_xff("6.6.6.6, 192.0.2.7") == kClient);
    CHECK(by_xff("6.6.6.6,192.0.2.7,10.0.0.3 ,\t10.0.0.2") == kClient);
    CHECK(by_xff("6.6.6.6, 192.0.2.7,, fd00::1,") == kClient);
    CHECK(by_forwarded("for=6.6.6.6, for=192.0.2.7;proto=https, by=x;for=10.0.0.2") == kClient);
}

TEST_CASE("where all are trusted the leftmost is the client") {
    CHECK(by_xff("10.0.0.4, 10.0.0.3") == ip("10.0.0.4"));
    CHECK(by_forwarded("for=10.0.0.4, for=10.0.0.3") == ip("10.0.0.4"));
}

TEST_CASE("lines are one list, the last one rightmost") {
    CHECK(client_from("10.0.0.1", {{kXff, "6.6.6.6"}, {kXff, "192.0.2.7"}, {kXff, "10.0.0.2"}}).address ==
          kClient);
    CHECK(client_from("10.0.0.1", {{kForwarded, "for=6.6.6.6"}, {kForwarded, "for=192.0.2.7"}}).address ==
          kClient);
}

TEST_CASE("an address may come in brackets and with a port") {
    const IpBytes v6 = ip("2001:db8::7");
    CHECK(by_xff("192.0.2.7:4711") == kClient);
    CHECK(by_xff("2001:db8::7") == v6);
    CHECK(by_xff("[2001:db8::7]") == v6);
    CHECK(by_xff("[2001:DB8:0::7]:65535") == v6);
    CHECK(by_xff("::ffff:192.0.2.7") == kClient);
    CHECK(by_forwarded("for=192.0.2.7") == kClient);
    CHECK(by_forwarded("FOR=\"192.0.2.7:80\"") == kClient);
    CHECK(by_forwarded("For=\"[2001:db8::7]:4711\"") == v6);
    CHECK(by_forwarded("for=\"[2001:db8::7]:_port\" ; by=10.0.0.1") == v6);
}

TEST_CASE("what is no address ends the walk at the proxy that wrote it") {
    for (const std::string node : {"unknown",
                                   "_hidden",
                                   "192.0.2",
                                   "192.0.2.7.1",
                                   "192.0.2.256",
                                   "192.0.02.7",
                                   "192.0.2.7:",
                                   "192.0.2.7:port",
                                   "192.0.2.7:123456",
                                   "[192.0.2.7]",
                                   "[2001:db8::7",
                                   "[2001:db8::7]80",
                                   "[2001:db8::7]:",
                                   "2001:db8::7%eth0",
                                   "2001:db8:::7",
                                   "[]",
                                   "[",
                                   ":",
                                   "192.0.2.7 x",
                                   "0x7f.0.0.1",
                                   "[2001:db8::7]]",
                                   "1.2.3.4/8",
                                   "\xC3\xA9",
                                   "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"}) {
        CAPTURE(node);
        CHECK(by_xff("192.0.2.7, " + node + ", 10.0.0.2") == ip("10.0.0.2"));
        CHECK(by_xff("192.0.2.7, " + node) == kPeer);
        CHECK(by_forwarded("for=192.0.2.7, for=\"" + node + "\", for=10.0.0.2") == ip("10.0.0.2"));
    }
    CHECK(by_xff(std::string("192.0.2.7\0x", 11)) == kPeer);
}

TEST_CASE("an element of Forwarded has one sound `for`") {
    for (const std::string element :
         {"by=192.0.2.7", "proto=https", "for", "for=", "for=\"\"", "for=\"192.0.2.7", "for=\"192.0.2.77",
          "for=192.0.2.7\"", "for=192.0.2.7;for=192.0.2.7", "for=\"\";for=192.0.2.7", "for=\"192.0.2.7\"x",
          "for=\"192.0.2\\.7\"", "for = 192.0.2.7", "xfor=192.0.2.7", "192.0.2.7", ";",
          "x=\";for=192.0.2.7;\""}) {
        CAPTURE(element);
        CHECK(by_forwarded(element) == kPeer);
        CHECK(by_forwarded("for=6.6.6.6, " + element + ", for=10.0.0.2") == ip("10.0.0.2"));
    }
    CHECK(by_forwarded("by=\"a,b;for=6.6.6.6\\\",\";for=192.0.2.7;;host=\"x;y\"") == kClient);
    CHECK(by_forwarded("by=\"\\\\\";for=192.0.2.7") == kClient);
}

TEST_CASE("where both fields are there they must agree") {
    const auto both = [](const std::string& xff, const std::string& forwarded) {
        return client_from("10.0.0.1", {{kForwarded, forwarded}, {kXff, xff}});
    };
    CHECK(both("192.0.2.7", "for=192.0.2.7").address == kClient);
    CHECK_FALSE(both("192.0.2.7", "for=192.0.2.7").is_disputed);
    CHECK(both("192.0.2.7, 10.0.0.2", "for=192.0.2.7").address == kClient);
    CHECK(both("192.0.2.7", "").address == kClient);
    CHECK(both("", "for=192.0.2.7").address == kClient);
    for (const ForwardedClient& found : {both("192.0.2.7", "for=6.6.6.6"), both("6.6.6.6", "for=192.0.2.7"),
                                         both("192.0.2.7", "for=unknown")}) {
        CHECK(found.address == kPeer);
        CHECK(found.is_disputed);
        CHECK(found.peer_is_trusted);
    }
}

TEST_CASE("no more than so many hops are walked") {
    std::string chain = "192.0.2.7";
    for (size_t i = 1; i < kMaxForwardedHops; ++i) chain += ", 10.0.0.9";
    CHECK(by_xff(chain) == kClient);
    CHECK(by_xff(chain + ", 10.0.0.9") == ip("10.0.0.9"));
}

TEST_CASE("no more than so many bytes are read, and no address is read in part") {
    // What is cut in two is the address, at each of its bytes.
    const std::string address = "192.0.2.7";
    for (size_t kept = 0; kept <= address.size() + 1; ++kept) {
        const std::string tail = "," + std::string(kMaxForwardedBytes - kept - 10, ' ') + ",10.0.0.2";
        CAPTURE(kept);
        const bool is_whole = kept > address.size();
        CHECK(by_xff("6.6.6.6," + address + tail) == (is_whole ? kClient : ip("10.0.0.2")));
        // On a line of its own it needs no comma behind it.
        const bool is_whole_line = kept >= address.size();
        CHECK(client_from("10.0.0.1", {{kXff, "6.6.6.6," + address}, {kXff, tail.substr(1)}}).address ==
              (is_whole_line ? kClient : ip("10.0.0.2")));
    }
}

TEST_CASE("behind a line that was too long to read whole nothing is read") {
    const std::string cut = "192.0.2.7," + std::string(kMaxForwardedBytes - 9, ' ');
    CHECK(client_from("10.0.0.1", {{kXff, "::6"}, {kXff, cut}}).address == kPeer);
}

TEST_CASE("who is asked about trust may be any callable") {
    std::set<IpBytes> trusted = {kPeer};
    const auto trusts = [&trusted](const IpBytes& address) { return trusted.contains(address); };
    const std::vector<Field> fields = {{.name = "", .value = "192.0.2.7, 10.0.0.2", .id = kXff}};
    CHECK(forwarded_client(kPeer, fields, trusts).address == ip("10.0.0.2"));
    trusted.insert(ip("10.0.0.2"));
    CHECK(forwarded_client(kPeer, fields, trusts).address == kClient);
}

TEST_CASE("what a client writes cannot change what the proxies behind it say of it") {
    RandomSource random;
    INFO("seed: " << random.seed());
    constexpr std::string_view kForged = ",;=\"\\ for=1.2.3.4[]:_by";
    const std::vector<std::string> honest_xff = {"192.0.2.7", "192.0.2.7:99, 10.0.0.2",
                                                 "192.0.2.7,10.1.1.1,fd00::1"};
    const std::vector<std::string> honest_forwarded = {
        "for=192.0.2.7", "for=\"192.0.2.7:99\";by=\"[fd00::1]\", for=10.0.0.2;host=\"a,b\\\"\"",
        "proto=https;for=192.0.2.7,for=\"[fd00::1]:80\""};
    for (int round = 0; round < 20000; ++round) {
        const std::string forged = random.one_in(3) ? random.mutated("for=6.6.6.6;by=\"x\", for=\"[::1]\"")
                                                    : random.text(40, kForged);
        CAPTURE(forged);
        for (const bool is_own_line : {false, true}) {
            const auto check = [&](FieldId id, const std::string& honest) {
                std::vector<Line> lines = {{id, forged + "," + honest}};
                if (is_own_line) lines = {{id, forged}, {id, honest}};
                REQUIRE(client_from("10.0.0.1", lines).address == kClient);
            };
            check(kXff, honest_xff[random.below(honest_xff.size())]);
            check(kForwarded, honest_forwarded[random.below(honest_forwarded.size())]);
        }
    }
}

TEST_CASE("a walk ends where counting by hand ends, and both fields say the same") {
    RandomSource random;
    INFO("seed: " << random.seed());
    const std::vector<std::string> nodes = {"10.0.0.2",    "10.9.9.9", "fd00::5", "192.0.2.7",
                                            "2001:db8::7", "unknown",  "_x"};
    for (int round = 0; round < 5000; ++round) {
        std::vector<Line> xff = {{kXff, ""}};
        std::vector<Line> forwarded = {{kForwarded, ""}};
        std::vector<std::string> chain(random.below(80));
        for (std::string& node : chain) {
            node = nodes[random.one_in(9) ? random.below(nodes.size()) : random.below(3)];
            const bool is_new_line = random.one_in(5);
            const std::string comma = is_new_line || xff.back().value.empty() ? "" : ", ";
            if (is_new_line) {
                xff.push_back({kXff, ""});
                forwarded.push_back({kForwarded, ""});
            }
            const bool is_v6 = node.find(':') != std::string::npos;
            xff.back().value += comma + node;
            forwarded.back().value += comma + "for=" + (is_v6 ? "\"[" + node + "]\"" : node);
        }
        IpBytes expected = kPeer;
        for (size_t i = 0; i < chain.size() && i < kMaxForwardedHops && is_trusted(expected); ++i) {
            const std::string& node = chain[chain.size() - 1 - i];
            if (node == "unknown" || node == "_x") break;
            expected = ip(node);
        }
        REQUIRE(client_from("10.0.0.1", xff).address == expected);
        REQUIRE(client_from("10.0.0.1", forwarded).address == expected);
    }
}
