#include "policy/key.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace weir::policy {
namespace {

using Kind = KeyPart::Kind;

constexpr IpBytes kIpv4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

using Halves = std::array<uint64_t, 2>;

/// Keeps the first `bits` of eight bytes in network order, as they lie in memory.
uint64_t half_mask(unsigned bits) { return bits == 0 ? 0 : __builtin_bswap64(~uint64_t{0} << (64 - bits)); }

/// The one value a name has; empty where it has none, or several that differ.
class OneValue {
  public:
    void see(std::string_view value) {
        if (seen_ && value != value_) differs_ = true;
        seen_ = true;
        value_ = value;
    }
    [[nodiscard]] std::string_view get() const { return differs_ ? std::string_view{} : value_; }

  private:
    std::string_view value_;
    bool seen_ = false;
    bool differs_ = false;
};

template <class See>
void each_line(const RequestView& request, std::string_view name, See see) {
    if (request.field_line == nullptr) return;
    for (size_t nth = 0;; ++nth) {
        const std::string_view line = request.field_line(request.head, name, nth);
        if (line.data() == nullptr) return;
        see(line);
    }
}

std::string_view header_value(const RequestView& request, std::string_view name) {
    OneValue value;
    each_line(request, name, [&](std::string_view line) { value.see(line); });
    return value.get();
}

std::string_view without_blanks(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view without_quotes(std::string_view text) {
    const bool is_quoted = text.size() > 1 && text.front() == '"' && text.back() == '"';
    return is_quoted ? text.substr(1, text.size() - 2) : text;
}

/// The byte that all of `digits` stand for; none where they do not.
std::optional<char> byte_of(std::string_view digits, int base) {
    unsigned byte = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, byte, base);
    if (error != std::errc() || stop != end || byte > 0xff) return std::nullopt;
    return static_cast<char>(byte);
}

/// "\141" as "a", and "\a" too.
std::string without_backslashes(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        const bool is_escape = text.front() == '\\' && text.size() > 1;
        const auto byte = is_escape && text.size() > 3 ? byte_of(text.substr(1, 3), 8) : std::nullopt;
        plain += byte.value_or(text[is_escape ? 1 : 0]);
        text.remove_prefix(byte ? 4 : is_escape ? 2 : 1);
    }
    return plain;
}

/// "%61" as "a".
std::string without_percents(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        const bool is_escape = text.front() == '%' && text.size() > 2;
        const auto byte = is_escape ? byte_of(text.substr(1, 2), 16) : std::nullopt;
        plain += byte.value_or(text.front());
        text.remove_prefix(byte ? 3 : 1);
    }
    return plain;
}

/// A cookie's value as apps read it, so that one value in many spellings is one key: Python undoes
/// backslashes, and Node percent-encoding. To an app that does not these are other values, which earn no
/// quota of their own.
std::string without_escapes(std::string_view cookie) { return without_percents(without_backslashes(cookie)); }

/// RFC 6265, 5.4 and 4.2.1: `name=value` pairs between semicolons; names are case-sensitive.
std::string_view cookie_value(const RequestView& request, std::string_view name) {
    OneValue value;
    each_line(request, "cookie", [&](std::string_view line) {
        while (!line.empty()) {
            const std::string_view pair = line.substr(0, line.find(';'));
            line.remove_prefix(std::min(line.size(), pair.size() + 1));
            const size_t equals = pair.find('=');
            if (equals == std::string_view::npos || without_blanks(pair.substr(0, equals)) != name) continue;
            value.see(without_quotes(without_blanks(pair.substr(equals + 1))));
        }
    });
    return value.get();
}

/// What a header or cookie says; empty where it names nobody, and for all other parts.
std::string_view value_of(const KeyPart& part, const RequestView& request) {
    switch (part.kind) {
        case Kind::header: return header_value(request, part.name);
        case Kind::cookie: return cookie_value(request, part.name);
        case Kind::ip:
        case Kind::route: return {};
    }
    return {};
}

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::ip: return "ip";
        case Kind::header: return "header";
        case Kind::cookie: return "cookie";
        case Kind::route: return "route";
    }
    return {};
}

}  // namespace

IpBytes ipv4_bytes(std::array<uint8_t, 4> address) {
    IpBytes bytes = kIpv4Prefix;
    std::ranges::copy(address, bytes.begin() + 12);
    return bytes;
}

IpBytes network_of(IpBytes address, unsigned prefix) {
    if (std::equal(address.begin(), address.begin() + 12, kIpv4Prefix.begin())) return address;
    auto words = std::bit_cast<Halves>(address);
    words[0] &= half_mask(std::min(prefix, 64U));
    words[1] &= half_mask(std::clamp(prefix, 64U, 128U) - 64);
    return std::bit_cast<IpBytes>(words);
}

std::string format_key(const KeySpec& spec) {
    std::string text;
    for (const KeyPart& part : spec) {
        if (!text.empty()) text += ", ";
        text += name_of(part.kind);
        if (!part.name.empty()) text += ":" + part.name;
    }
    return spec.empty() ? "all" : text;
}

bool is_named(const KeyPart& part, const RequestView& request) {
    const bool may_lack = part.kind == Kind::header || part.kind == Kind::cookie;
    return !may_lack || !value_of(part, request).empty();
}

KeyMaker::KeyMaker(KeySpec spec, unsigned ipv6_prefix, const HashSeed& seed)
    : spec_(std::move(spec)), ipv6_prefix_(ipv6_prefix), seed_(seed) {
    assert(spec_.size() <= kMostKeyParts);
}

KeyMaker::Words KeyMaker::words_of(const KeyPart& part, const RequestView& request) const {
    if (part.kind == Kind::route) return {uint64_t{static_cast<uint8_t>(part.kind)}, request.route, 0};
    std::string_view value = value_of(part, request);
    std::string plain;
    if (part.kind == Kind::cookie && value.find_first_of("\\%") != std::string_view::npos)
        value = plain = without_escapes(value);
    if (!value.empty()) {
        return {uint64_t{static_cast<uint8_t>(part.kind)}, value.size(), siphash13(seed_, value)};
    }
    const auto ip = std::bit_cast<Halves>(network_of(request.ip, ipv6_prefix_));
    return {uint64_t{static_cast<uint8_t>(Kind::ip)}, ip[0], ip[1]};
}

/// Every part has the same number of words, so no two lists of parts read alike.
uint64_t KeyMaker::operator()(const RequestView& request) const {
    std::array<uint64_t, 3 * kMostKeyParts> words;  // only as much is written as is read
    size_t count = 0;
    for (const KeyPart& part : spec_) {
        for (const uint64_t word : words_of(part, request)) words[count++] = word;
    }
    return siphash13(seed_, {reinterpret_cast<const char*>(words.data()), count * sizeof(uint64_t)});
}

}  // namespace weir::policy
