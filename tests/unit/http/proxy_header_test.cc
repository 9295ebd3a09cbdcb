#include "http/proxy_header.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace weir::http;
using State = ProxyHeader::State;

namespace {

/// "192.0.2.7", "none", or why it is malformed.
std::string read(std::string_view bytes) {
    const ProxyHeader header = read_proxy_header(bytes);
    if (header.state == State::incomplete) return "incomplete";
    if (header.state == State::malformed) return header.fault;
    if (!header.source) return "none, " + std::to_string(header.length);
    for (const char* text : {"192.0.2.7", "255.255.255.255", "0.0.0.0"})
        if (header.source == ipv4_of(text)) return std::string(text) + ", " + std::to_string(header.length);
    for (const char* text : {"2001:db8::7", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1"})
        if (header.source == ipv6_of(text)) return std::string(text) + ", " + std::to_string(header.length);
    return "another";
}

std::string line(const std::string& text) { return text + "\r\n"; }

std::string bytes16(size_t number) {
    return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

/// With what stands behind the length, and maybe another length.
std::string binary(char command, char family, const std::string& rest, size_t beyond = 0) {
    return std::string("\r\n\r\n\0\r\nQUIT\n", 12) + command + family + bytes16(rest.size() + beyond) + rest;
}

const std::string kV4("\xc0\x00\x02\x07\xc0\x00\x02\x01\xdc\x04\x01\xbb", 12);
const std::string kV6 = std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16) +
                        std::string(15, '\0') + "\x01" + std::string("\xdc\x04\x01\xbb", 4);

std::string tlv(char type, const std::string& value) { return type + bytes16(value.size()) + value; }

/// As the specification says it: CRC-32C of the whole with the field itself zero.
uint32_t crc32c(const std::string& bytes) {
    uint32_t sum = 0xffffffff;
    for (const char c : bytes) {
        sum ^= static_cast<uint8_t>(c);
        for (int i = 0; i < 8; ++i) sum = (sum & 1) != 0 ? (sum >> 1) ^ 0x82f63b78 : sum >> 1;
    }
    return ~sum;
}

std::string with_checksum(const std::string& before, const std::string& behind) {
    std::string header = binary(0x21, 0x11, kV4 + before + tlv(3, std::string(4, '\0')) + behind);
    const uint32_t sum = crc32c(header);
    const size_t at = 16 + 12 + before.size() + 3;
    for (size_t i = 0; i < 4; ++i) header[at + i] = static_cast<char>(sum >> (24 - 8 * i));
    return header;
}

}  // namespace

TEST_CASE("the test's own checksum is the known one") { CHECK(crc32c("123456789") == 0xe3069283); }

TEST_CASE("version 1 names the client") {
    CHECK(read(line("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443")) == "192.0.2.7, 42");
    CHECK(read(line("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443") + "GET / HTTP/1.1\r\n") == "192.0.2.7, 42");
    CHECK(read(line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535")) == "255.255.255.255, 56");
    CHECK(read(line("PROXY TCP4 0.0.0.0 0.0.0.0 0 0")) == "0.0.0.0, 32");
    CHECK(read(line("PROXY TCP6 2001:db8::7 ::1 1 2")) == "2001:db8::7, 32");
    const std::string longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    CHECK(read(line("PROXY TCP6 " + longest + " " + longest + " 65535 65535")) == longest + ", 104");
}

TEST_CASE("version 1 may not know the client") {
    CHECK(read(line("PROXY UNKNOWN")) == "none, 15");
    CHECK(read(line("PROXY UNKNOWN ffff::1 ffff::2 1 2 and more")) == "none, 44");
    const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x');
    CHECK(read(line(longest)) == "none, 107");
    CHECK(read(line(longest + "x")) == "the line is too long");
}

TEST_CASE("version 1 is malformed where a sender would never write it so") {
    const char* const kAddress = "an address is none of the family that is named";
    const char* const kPort = "a port is none";
    const std::pair<const char*, const char*> table[] = {
        {"PROXY TCP4 192.0.2.7 192.0.2.1 56324", kPort},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 56324 ", "a blank ends the line"},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443 ", "a blank ends the line"},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443 1", kPort},
        {"PROXY TCP4  192.0.2.7 192.0.2.1 56324 443", kAddress},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 56324 65536", kPort},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 056324 443", kPort},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 00 443", kPort},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 -1 443", kPort},
        {"PROXY TCP4 192.0.2.7 192.0.2.1 +1 443", kPort},
        {"PROXY TCP4 192.0.2.07 192.0.2.1 1 443", kAddress},
        {"PROXY TCP4 192.0.2 192.0.2.1 1 443", kAddress},
        {"PROXY TCP4 ::1 ::2 1 443", kAddress},
        {"PROXY TCP6 192.0.2.7 192.0.2.1 1 443", kAddress},
        {"PROXY TCP6 [::1] ::2 1 443", kAddress},
        {"PROXY TCP6 fe80::1%eth0 ::2 1 443", kAddress},
        {"PROXY TCP4\t192.0.2.7 192.0.2.1 1 443", "the line names no protocol"},
        {"PROXY TCP5 192.0.2.7 192.0.2.1 1 443", "the line names no protocol"},
        {"PROXY UNKNOWNS", "the line names no protocol"},
        {"PROXY unknown", "the line names no protocol"},
        {"PROXY ", "the line names no protocol"},
        {"PROXY  TCP4 192.0.2.7 192.0.2.1 1 443", "the line names no protocol"},
    };
    for (const auto& sample : table) {
        const char* const text = sample.first;
        INFO(text);
        CHECK(read(line(text)) == sample.second);
    }
    CHECK(read("PROXY UNKNOWN\rx") == "the line does not end in CRLF");
    CHECK(read("PROXY UNKNOWN\n" + std::string(100, 'x')) == "the line is too long");
}

TEST_CASE("what is no header is malformed at once") {
    for (const char* text :
         {"GET / HTTP/1.1\r\n", "proxy TCP4", "PROXYTCP4", "\r\n\r\nGET", "\r\nG", "\x16\x03\x01"})
        CHECK(read(text) == "there is none");
    CHECK(read("") == "incomplete");
    CHECK(read("P") == "incomplete");
    CHECK(read("\r\n\r\n") == "incomplete");
}

TEST_CASE("version 2 names the client") {
    CHECK(read(binary(0x21, 0x11, kV4)) == "192.0.2.7, 28");
    CHECK(read(binary(0x21, 0x11, kV4) + "GET /") == "192.0.2.7, 28");
    CHECK(read(binary(0x21, 0x21, kV6)) == "2001:db8::7, 52");
    CHECK(read(binary(0x21, 0x11, kV4 + tlv(2, "app.test") + tlv(4, ""))) == "192.0.2.7, 42");
}

TEST_CASE("version 2 may speak for the balancer itself, or of a client that did not come by TCP") {
    CHECK(read(binary(0x20, 0x00, "")) == "none, 16");
    CHECK(read(binary(0x20, 0x11, kV4)) == "none, 28");
    CHECK(read(binary(0x20, 0x11, "anything")) == "none, 24");
    CHECK(read(binary(0x21, 0x00, "")) == "none, 16");
    CHECK(read(binary(0x21, 0x00, "anything")) == "none, 24");
    CHECK(read(binary(0x21, 0x12, kV4)) == "none, 28");
    CHECK(read(binary(0x21, 0x22, kV6)) == "none, 52");
    CHECK(read(binary(0x21, 0x31, std::string(216, 'p'))) == "none, 232");
}

TEST_CASE("version 2 is malformed where a sender would never write it so") {
    CHECK(read(binary(0x11, 0x11, kV4)) == "version or command are not known");
    CHECK(read(binary(0x22, 0x11, kV4)) == "version or command are not known");
    CHECK(read(binary(0x21, 0x41, kV4)) == "family or transport are not known");
    CHECK(read(binary(0x21, 0x13, kV4)) == "family or transport are not known");
    CHECK(read(binary(0x21, 0x11, kV4.substr(1))) == "the addresses are cut off");
    CHECK(read(binary(0x21, 0x21, kV4)) == "the addresses are cut off");
    CHECK(read(binary(0x21, 0x31, kV6)) == "the addresses are cut off");
    CHECK(read(binary(0x21, 0x11, kV4 + "x")) == "a TLV is cut off");
    CHECK(read(binary(0x21, 0x11, kV4 + "xy")) == "a TLV is cut off");
    CHECK(read(binary(0x21, 0x11, kV4 + std::string("\x02\x00\x02x", 4))) == "a TLV is cut off");
    CHECK(read(binary(0x21, 0x11, kV4 + std::string("\x02\xff\xffx", 4))) == "a TLV is cut off");
}

TEST_CASE("a header is as long as it says, up to the bound") {
    const size_t room = kMaxProxyHeader - 16 - 12 - 3;
    CHECK(read(binary(0x21, 0x11, kV4 + tlv(2, std::string(room, 'x')))) == "192.0.2.7, 4096");
    CHECK(read(binary(0x21, 0x11, kV4 + tlv(2, std::string(room + 1, 'x')))) == "it is too long");
    CHECK(read(binary(0x21, 0x11, "", 65535)) == "it is too long");
    CHECK(read(binary(0x21, 0x11, kV4, 1)) == "incomplete");
}

TEST_CASE("a checksum is held against the header") {
    CHECK(read(with_checksum("", "")) == "192.0.2.7, 35");
    CHECK(read(with_checksum(tlv(2, "app.test"), tlv(4, "padding"))) == "192.0.2.7, 56");
    std::string header = with_checksum(tlv(2, "app.test"), tlv(4, "padding"));
    const size_t type_at = 16 + 12 + 11;  // where another value makes another TLV of it
    for (size_t at = 16; at < header.size(); at += at + 1 == type_at ? 2 : 1) {
        std::string changed = header;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        INFO(at);
        CHECK(read(changed) != "192.0.2.7, 56");
    }
    CHECK(read(binary(0x21, 0x11, kV4 + tlv(3, "abc"))) == "the checksum has a wrong length");
    CHECK(read(binary(0x21, 0x11, kV4 + tlv(3, "abcd"))) == "the checksum is wrong");
}

TEST_CASE("a header that comes in pieces is incomplete until it is whole, and then what it is at once") {
    const std::string behind = "GET / HTTP/1.1\r\n\r\n";
    for (const std::string& header :
         {line("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443"), line("PROXY TCP6 2001:db8::7 ::1 1 2"),
          line("PROXY UNKNOWN"), binary(0x21, 0x11, kV4), binary(0x21, 0x21, kV6), binary(0x20, 0x00, ""),
          with_checksum(tlv(2, "app.test"), tlv(4, "padding"))}) {
        const std::string whole = header + behind;
        for (size_t length = 0; length < header.size(); ++length)
            CHECK(read_proxy_header(whole.substr(0, length)).state == State::incomplete);
        const std::string expected = read(header);
        for (size_t length = header.size(); length <= whole.size(); ++length)
            CHECK(read(whole.substr(0, length)) == expected);
    }
}

TEST_CASE("whatever comes, a verdict stays what it was when more comes") {
    const unsigned seed = std::random_device()();
    INFO("seed " << seed);
    std::minstd_rand random(seed);
    const std::string seeds[] = {line("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443"), binary(0x21, 0x11, kV4),
                                 with_checksum(tlv(2, "app.test"), "")};
    for (int round = 0; round < 2000; ++round) {
        std::string bytes = seeds[random() % 3];
        for (auto changes = 1 + random() % 3; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        bytes += std::string(random() % 100, 'x');
        State former = State::incomplete;
        std::string verdict;
        for (size_t length = 0; length <= bytes.size(); ++length) {
            const ProxyHeader header = read_proxy_header(bytes.substr(0, length));
            if (former != State::incomplete) {
                REQUIRE(header.state == former);
                if (header.state == State::complete) REQUIRE(header.length <= length);
            }
            former = header.state;
        }
    }
}
