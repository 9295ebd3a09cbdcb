#include "http/proxy_header.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/char_class.h"
#include "http/ip_text.h"

namespace weir::http {
namespace {

using State = ProxyHeader::State;

ProxyHeader malformed(const char* fault) {
    return {.state = State::malformed, .length = 0, .source = {}, .fault = fault};
}

ProxyHeader whole(size_t length, std::optional<IpBytes> source = {}) {
    return {.state = State::complete, .length = length, .source = source, .fault = ""};
}

// ---- version 1: "PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n"

constexpr std::string_view kBegin1 = "PROXY ";
constexpr size_t kMaxLine1 = 107;  ///< with its end

/// Without leading zeros, which other readers take for octal numbers.
bool is_port(std::string_view text) {
    if (text.empty() || text.size() > 5 || !all_are(text, kDigit)) return false;
    if (text.size() > 1 && text.front() == '0') return false;
    unsigned value = 0;
    for (const char c : text) value = value * 10 + hex_value(c);
    return value <= 65535;
}

/// Up to the next blank, which is taken too.
std::string_view next_word(std::string_view& rest) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
}

ProxyHeader read_addresses1(std::string_view line, size_t length) {
    if (line.ends_with(' ')) return malformed("a blank ends the line");
    std::string_view rest = line;
    const bool is_v4 = next_word(rest) == "TCP4";
    const auto address = is_v4 ? &ipv4_of : &ipv6_of;
    const auto source = address(next_word(rest));
    const auto destination = address(next_word(rest));
    if (!source || !destination) return malformed("an address is none of the family that is named");
    const std::string_view source_port = next_word(rest);
    if (!is_port(source_port) || !is_port(rest)) return malformed("a port is none");
    return whole(length, source);
}

ProxyHeader read1(std::string_view bytes) {
    const std::string_view looked_at = bytes.substr(0, kMaxLine1);
    const size_t end = looked_at.find('\r');
    if (end == std::string_view::npos)
        return looked_at.size() < kMaxLine1 ? ProxyHeader{} : malformed("the line is too long");
    if (end + 1 == looked_at.size())
        return looked_at.size() < kMaxLine1 ? ProxyHeader{} : malformed("the line is too long");
    if (looked_at[end + 1] != '\n') return malformed("the line does not end in CRLF");
    const std::string_view line = looked_at.substr(kBegin1.size(), end - kBegin1.size());
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return whole(end + 2);
    if (line.starts_with("TCP4 ") || line.starts_with("TCP6 ")) return read_addresses1(line, end + 2);
    return malformed("the line names no protocol");
}

// ---- version 2: a signature, version and command, family and transport, the length of the rest

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kHead2 = 16;

constexpr size_t kAddresses4 = 12;  ///< two IPv4 addresses and two ports
constexpr size_t kAddresses6 = 36;
constexpr size_t kAddressesUnix = 216;

constexpr size_t kTlvHead = 3;
constexpr uint8_t kTlvChecksum = 0x03;
constexpr size_t kChecksumBytes = 4;

uint8_t byte_at(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

size_t number16(std::string_view bytes, size_t at) {
    return (size_t{byte_at(bytes, at)} << 8) | byte_at(bytes, at + 1);
}

/// CRC-32C (RFC 3720, B.4) of all but the `skipped` four bytes, which count as zero.
uint32_t checksum(std::string_view bytes, size_t skipped) {
    constexpr uint32_t kReversedPolynomial = 0x82F63B78;
    uint32_t sum = ~0U;
    for (size_t at = 0; at < bytes.size(); ++at) {
        const bool is_skipped = at >= skipped && at < skipped + kChecksumBytes;
        sum ^= is_skipped ? 0U : byte_at(bytes, at);
        for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kReversedPolynomial : 0U);
    }
    return ~sum;
}

bool has_sound_checksum(std::string_view header, size_t at) {
    const size_t said = (number16(header, at) << 16) | number16(header, at + 2);
    return said == checksum(header, at);
}

/// `header`: all of it. `at`: where the first TLV stands.
const char* fault_of_tlvs(std::string_view header, size_t at) {
    while (at < header.size()) {
        if (header.size() - at < kTlvHead) return "a TLV is cut off";
        const size_t length = number16(header, at + 1);
        const size_t value = at + kTlvHead;
        if (length > header.size() - value) return "a TLV is cut off";
        if (byte_at(header, at) == kTlvChecksum) {
            if (length != kChecksumBytes) return "the checksum has a wrong length";
            if (!has_sound_checksum(header, value)) return "the checksum is wrong";
        }
        at = value + length;
    }
    return nullptr;
}

std::optional<IpBytes> source_of(std::string_view addresses, uint8_t family) {
    IpBytes source{};
    if (family == 2) {
        std::memcpy(source.data(), addresses.data(), source.size());
    } else {
        source[10] = source[11] = 0xff;
        std::memcpy(source.data() + 12, addresses.data(), 4);
    }
    return source;
}

/// `header`: all of it, as its length says.
ProxyHeader read_addresses2(std::string_view header) {
    constexpr std::array<size_t, 4> kSizes = {0, kAddresses4, kAddresses6, kAddressesUnix};
    constexpr uint8_t kStream = 1;
    const auto family = static_cast<uint8_t>(byte_at(header, 13) >> 4);
    const auto transport = static_cast<uint8_t>(byte_at(header, 13) & 0xf);
    // Where nothing is said of the family, what follows is not known to be TLVs either.
    if (family == 0) return whole(header.size());
    const size_t size = kSizes[family];
    if (header.size() - kHead2 < size) return malformed("the addresses are cut off");
    if (const char* fault = fault_of_tlvs(header, kHead2 + size)) return malformed(fault);
    if (family == 3 || transport != kStream) return whole(header.size());
    return whole(header.size(), source_of(header.substr(kHead2), family));
}

ProxyHeader read2(std::string_view bytes) {
    constexpr uint8_t kLocal = 0x20;
    constexpr uint8_t kProxy = 0x21;
    if (bytes.size() > 12 && byte_at(bytes, 12) != kLocal && byte_at(bytes, 12) != kProxy)
        return malformed("version or command are not known");
    if (bytes.size() > 13 && (byte_at(bytes, 13) >> 4 > 3 || (byte_at(bytes, 13) & 0xf) > 2))
        return malformed("family or transport are not known");
    if (bytes.size() < kHead2) return {};
    const size_t length = kHead2 + number16(bytes, 14);
    if (length > kMaxProxyHeader) return malformed("it is too long");
    if (bytes.size() < length) return {};
    if (byte_at(bytes, 12) == kLocal) return whole(length);
    return read_addresses2(bytes.substr(0, length));
}

bool begins_like(std::string_view bytes, std::string_view begin) {
    const size_t common = std::min(bytes.size(), begin.size());
    return bytes.substr(0, common) == begin.substr(0, common);
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) {
    if (begins_like(bytes, kBegin1)) return bytes.size() < kBegin1.size() ? ProxyHeader{} : read1(bytes);
    if (begins_like(bytes, kSignature2))
        return bytes.size() < kSignature2.size() ? ProxyHeader{} : read2(bytes);
    return malformed("there is none");
}

}  // namespace weir::http
