// Which bytes may stand where: one table, one bit for each class, so that a check is one load and one test.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weir::http {

enum CharClass : uint8_t {
    kToken = 1,        ///< tchar (RFC 9110, 5.6.2)
    kTarget = 2,       ///< of a request target, see below
    kFieldValue = 4,   ///< VCHAR, obs-text, SP and HTAB (RFC 9110, 5.5)
    kDigit = 8,        ///< 0-9
    kHexDigit = 16,    ///< 0-9 A-F a-f
    kRegName = 32,     ///< unreserved and sub-delims but ",": a host name, "%" aside (RFC 3986, 3.2.2)
    kUnreserved = 64,  ///< RFC 3986, 2.3
    kRequestId = 128,  ///< request_id.h
};

// A target may hold every VCHAR but "#". RFC 3986 allows fewer, but browsers send | " { } ^ [ ] as they are,
// and no reader takes them for anything else. Bytes from 0x80 on are refused although some servers let them
// pass: what they mean depends on the reader's guess of an encoding, and a rule on the path could be walked
// around by guessing otherwise. A host name may not hold a comma although RFC 3986 allows it: apps split
// X-Forwarded-Host at commas and believe one part.
namespace detail {

constexpr bool is_alnum(int c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr bool is_in(int c, std::string_view set) {
    return set.find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr uint8_t classes_of(int c) {
    const bool alnum = is_alnum(c);
    const bool vchar = c > 0x20 && c < 0x7f;
    const bool digit = c >= '0' && c <= '9';
    int classes = 0;
    if (alnum || is_in(c, "!#$%&'*+-.^_`|~")) classes |= kToken;
    if (vchar && c != '#') classes |= kTarget;
    if (vchar || c >= 0x80 || c == ' ' || c == '\t') classes |= kFieldValue;
    if (digit) classes |= kDigit;
    if (digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')) classes |= kHexDigit;
    if (alnum || is_in(c, "-._~!$&'()*+;=")) classes |= kRegName;
    if (alnum || is_in(c, "-._~")) classes |= kUnreserved;
    if (alnum || is_in(c, "-._~+/=:@")) classes |= kRequestId;
    return static_cast<uint8_t>(classes);
}

constexpr std::array<uint8_t, 256> make_classes() {
    std::array<uint8_t, 256> table{};
    for (int c = 0; c < 256; ++c) table[static_cast<size_t>(c)] = classes_of(c);
    return table;
}

constexpr std::array<char, 256> make_lower() {
    std::array<char, 256> table{};
    for (int c = 0; c < 256; ++c) {
        table[static_cast<size_t>(c)] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
    }
    return table;
}

inline constexpr std::array<uint8_t, 256> kClasses = make_classes();
inline constexpr std::array<char, 256> kLower = make_lower();

}  // namespace detail

constexpr bool is(char c, CharClass which) {
    return (detail::kClasses[static_cast<unsigned char>(c)] & which) != 0;
}

/// True for the empty text too.
constexpr bool all_are(std::string_view text, CharClass which) {
    for (const char c : text) {
        if (!is(c, which)) return false;
    }
    return true;
}

constexpr bool is_token(std::string_view text) { return !text.empty() && all_are(text, kToken); }

/// ASCII only, whatever the locale.
constexpr char lower(char c) { return detail::kLower[static_cast<unsigned char>(c)]; }

/// The same of eight bytes at once.
constexpr uint64_t lower(uint64_t bytes) {
    constexpr uint64_t kEach = 0x0101010101010101U;
    const uint64_t low_bits = bytes & kEach * 0x7f;
    const uint64_t from_a = low_bits + kEach * (0x80 - 'A');  // the high bit of a byte says yes
    const uint64_t past_z = low_bits + kEach * (0x7f - 'Z');
    const uint64_t is_upper = (from_a ^ past_z) & ~bytes & kEach * 0x80;
    return bytes | is_upper >> 2U;
}

/// Of a kHexDigit.
constexpr unsigned hex_value(char c) {
    return static_cast<unsigned>(is(c, kDigit) ? c - '0' : lower(c) - 'a' + 10);
}

}  // namespace weir::http
