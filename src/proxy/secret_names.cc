#include "proxy/secret_names.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "http/char_class.h"

namespace weir::proxy {
namespace {

constexpr char normal(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

constexpr std::array<std::string_view, 14> kTellingParts = {
    "access_key", "accesskey", "api_key",  "apikey", "auth",    "credential", "jwt",
    "passphrase", "passwd",    "password", "secret", "session", "signature",  "token"};
constexpr std::array<std::string_view, 8> kTellingNames = {"code", "key", "otp", "pass",
                                                           "pin",  "pwd", "sid", "sig"};

constexpr size_t kLongestTellingName = 4;

/// 0 to 25 for a letter of either case, 31 for all else.
constexpr auto kLetterIndex = [] {
    std::array<unsigned char, 256> index{};
    index.fill(31);
    for (unsigned char i = 0; i < 26; ++i) index['a' + i] = index['A' + i] = i;
    return index;
}();
unsigned letter_index(char c) { return kLetterIndex[static_cast<unsigned char>(c)]; }

/// For a telling part's first letter the sets of letters that may be second and third: rules out nearly all
/// places of nearly all names.
struct NextLetters {
    uint32_t second = 0;
    uint32_t third = 0;
};
constexpr auto kNextLetters = [] {
    std::array<NextLetters, 32> next{};
    for (const auto part : kTellingParts) {
        next[static_cast<size_t>(part[0] - 'a')].second |= 1U << (part[1] - 'a');
        next[static_cast<size_t>(part[0] - 'a')].third |= 1U << (part[2] - 'a');
    }
    return next;
}();

/// `expected` is in normal form.
bool starts_with(std::string_view text, std::string_view expected) {
    if (text.size() < expected.size()) return false;
    for (size_t i = 0; i < expected.size(); ++i) {
        if (normal(text[i]) != expected[i]) return false;
    }
    return true;
}

bool starts_telling(std::string_view text) {
    return std::ranges::any_of(kTellingParts, [&](auto part) { return starts_with(text, part); });
}

bool is_telling(std::string_view name) {
    if (name.size() <= kLongestTellingName) {
        for (const auto whole : kTellingNames) {
            if (name.size() == whole.size() && starts_with(name, whole)) return true;
        }
    }
    for (size_t i = 0; i + 2 < name.size(); ++i) {
        const auto& next = kNextLetters[letter_index(name[i])];
        const uint32_t may_start =
            next.second >> letter_index(name[i + 1]) & next.third >> letter_index(name[i + 2]);
        if ((may_start & 1) != 0 && starts_telling(name.substr(i))) return true;
    }
    return false;
}

bool ends_parameter(char c) { return c == '&' || c == ';' || c == '?' || c == '#'; }

/// No app has longer ones: what does is taken for telling.
constexpr size_t kMostName = 256;

/// A character of the address, as an app reads it.
struct Character {
    char value;
    size_t length;
};

/// `at` is inside the address.
Character character_at(std::string_view address, size_t at) {
    if (address[at] != '%' || at + 2 >= address.size()) return {address[at], 1};
    if (!http::all_are(address.substr(at + 1, 2), http::kHexDigit)) return {address[at], 1};
    return {static_cast<char>(http::hex_value(address[at + 1]) * 16 + http::hex_value(address[at + 2])), 3};
}

bool is_telling_decoded(std::string_view name) {
    std::array<char, kMostName> decoded;
    size_t length = 0;
    for (size_t at = 0; at < name.size();) {
        if (length == kMostName) return true;
        const Character character = character_at(name, at);
        decoded[length++] = character.value;
        at += character.length;
    }
    return is_telling({decoded.data(), length});
}

Secret value_from(std::string_view address, size_t begin) {
    return {begin, std::min(address.find('&', begin), address.size())};
}

/// Of an address without percent signs.
std::optional<Secret> find_in_plain_query(std::string_view address) {
    size_t from = 0;
    for (size_t equals; (equals = address.find('=', from)) != std::string_view::npos; from = equals + 1) {
        size_t name = equals;
        while (name > from && !ends_parameter(address[name - 1])) --name;
        if (name > from && is_telling(address.substr(name, equals - name)))
            return value_from(address, equals + 1);
    }
    return std::nullopt;
}

std::optional<Secret> find_in_encoded_query(std::string_view address) {
    constexpr size_t kNone = std::string_view::npos;
    size_t name = kNone;
    for (size_t at = 0; at < address.size();) {
        const Character character = character_at(address, at);
        const size_t behind = at + character.length;
        if (ends_parameter(character.value)) {
            name = behind;
        } else if (character.value == '=' && name != kNone) {
            if (is_telling_decoded(address.substr(name, at - name))) return value_from(address, behind);
            name = kNone;
        }
        at = behind;
    }
    return std::nullopt;
}

std::optional<Secret> find_in_query(std::string_view address) {
    return address.find('%') == std::string_view::npos ? find_in_plain_query(address)
                                                       : find_in_encoded_query(address);
}

/// RFC 3986, 3.2.1.
std::optional<Secret> find_user(std::string_view address) {
    constexpr std::string_view kMark = "://";
    if (address.find('@') == std::string_view::npos) return std::nullopt;
    for (size_t at = 0; (at = address.find(kMark, at)) != std::string_view::npos;) {
        at += kMark.size();
        const std::string_view authority = address.substr(at, address.find_first_of("/?#", at) - at);
        const size_t end = authority.rfind('@');
        if (end != std::string_view::npos) return Secret{at, at + end};
    }
    return std::nullopt;
}

}  // namespace

std::optional<Secret> find_secret(std::string_view address) {
    const auto in_query = find_in_query(address);
    const auto user = find_user(address);
    if (!in_query || !user) return in_query ? in_query : user;
    return user->begin < in_query->begin ? user : in_query;
}

}  // namespace weir::proxy
