#include "proxy/secret_names.h"

#include <algorithm>
#include <array>
#include <cstdint>

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

}  // namespace

std::optional<Secret> find_secret(std::string_view address) {
    size_t from = 0;
    for (size_t equals; (equals = address.find('=', from)) != std::string_view::npos; from = equals + 1) {
        size_t name = equals;
        while (name > from && !ends_parameter(address[name - 1])) --name;
        if (name > from && is_telling(address.substr(name, equals - name)))
            return Secret{equals + 1, std::min(address.find('&', equals + 1), address.size())};
    }
    return std::nullopt;
}

}  // namespace weir::proxy
