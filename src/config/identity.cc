#include "config/identity.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/nearest.h"
#include "config/text.h"
#include "config/words.h"

namespace weir::config {
namespace {

constexpr uint8_t kMappedBits = 96;  ///< in front of an IPv4 address inside IPv6
constexpr size_t kMappedBytes = kMappedBits / 8;

struct Plain {
    std::string_view word;
    KeyPart::Kind kind;
};
constexpr auto kPlain = std::to_array<Plain>({{"client", KeyPart::Kind::client},
                                              {"ip", KeyPart::Kind::ip},
                                              {"route", KeyPart::Kind::route},
                                              {"all", KeyPart::Kind::all}});

Failure<Wrong> not_a_key(std::string_view text, std::span<const std::string_view> words) {
    std::vector<std::string> known;
    for (const std::string_view word : words) {
        if (!word.empty()) known.emplace_back(word);
    }
    const std::string near = nearest(text, known);
    return fail(Wrong{
        fmt::format("{} is not one of {}, header:NAME, cookie:NAME", quoted(text), fmt::join(known, ", ")),
        near.empty() ? std::string() : fmt::format("did you mean `{}`?", near)});
}

std::string format_part(const KeyPart& part) {
    switch (part.kind) {
        case KeyPart::Kind::client: return "client";
        case KeyPart::Kind::ip: return "ip";
        case KeyPart::Kind::header: return "header:" + part.name;
        case KeyPart::Kind::cookie: return "cookie:" + part.name;
        case KeyPart::Kind::route: return "route";
        case KeyPart::Kind::all: return "all";
    }
    return {};
}

struct Address {
    std::array<uint8_t, 16> bytes{};
    bool is_v4 = false;
};

std::optional<Address> parse_ip(std::string_view text) {
    const std::string written(text);
    Address address;
    address.is_v4 = inet_pton(AF_INET, written.c_str(), &address.bytes[kMappedBytes]) == 1;
    if (address.is_v4) {
        address.bytes[10] = address.bytes[11] = 0xff;
        return address;
    }
    if (inet_pton(AF_INET6, written.c_str(), address.bytes.data()) == 1) return address;
    return std::nullopt;
}

std::string format_ip(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.is_v4) {
        inet_ntop(AF_INET, &address.bytes[kMappedBytes], text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
    }
    return text.data();
}

/// Clears what stands behind the prefix; false where nothing did.
bool clear_behind(std::array<uint8_t, 16>& bytes, uint8_t prefix_bits) {
    const std::array<uint8_t, 16> before = bytes;
    for (size_t i = 0; i < bytes.size(); ++i) {
        const size_t kept = std::clamp<size_t>(prefix_bits, i * 8, i * 8 + 8) - i * 8;
        bytes[i] = static_cast<uint8_t>(bytes[i] & (0xff00U >> kept));
    }
    return bytes != before;
}

}  // namespace

Result<KeyPart, Wrong> parse_key_part(std::string_view text, std::span<const std::string_view> words) {
    const bool is_header = text.starts_with("header:");
    if (is_header || text.starts_with("cookie:")) {
        const std::string_view name = text.substr(text.find(':') + 1);
        if (!is_token(name)) {
            return fail(
                Wrong{fmt::format("{} has no name that a {} can have", quoted(text),
                                  is_header ? "header field" : "cookie"),
                      is_header ? "write it as in `header:X-Api-Key`" : "write it as in `cookie:sid`"});
        }
        return is_header ? KeyPart{KeyPart::Kind::header, lower_case(name)}
                         : KeyPart{KeyPart::Kind::cookie, std::string(name)};
    }
    const bool is_allowed = !text.empty() && std::find(words.begin(), words.end(), text) != words.end();
    const auto* const found =
        std::find_if(kPlain.begin(), kPlain.end(), [&](const Plain& plain) { return plain.word == text; });
    if (!is_allowed || found == kPlain.end()) return not_a_key(text, words);
    return KeyPart{found->kind, {}};
}

std::string format_key(const Key& key) {
    std::vector<std::string> parts;
    for (const KeyPart& part : key) parts.push_back(format_part(part));
    return fmt::format("{}", fmt::join(parts, " and "));
}

Result<Cidr, Wrong> parse_cidr(std::string_view text) {
    const size_t slash = text.find('/');
    const std::optional<Address> address = parse_ip(text.substr(0, slash));
    if (!address) {
        return fail(Wrong{quoted(text) + " is not an address or a block of them",
                          "write it as in `10.0.0.0/8`, `127.0.0.1` or `fd00::/8`"});
    }
    const uint64_t most = address->is_v4 ? 32 : 128;
    Cidr cidr{address->bytes, 128};
    if (slash == std::string_view::npos) return cidr;
    const Result<uint64_t, Wrong> bits = parse_integer(text.substr(slash + 1));
    if (!bits || *bits > most) {
        return fail(Wrong{quoted(text) + " has no prefix length that it can have",
                          fmt::format("allowed: 0 to {} behind the slash", most)});
    }
    cidr.prefix_bits = static_cast<uint8_t>(*bits + (address->is_v4 ? kMappedBits : 0));
    if (clear_behind(cidr.address, cidr.prefix_bits)) {
        return fail(
            Wrong{quoted(text) + " has bits set behind its prefix",
                  fmt::format("did you mean `{}/{}` or `{}`?", format_ip({cidr.address, address->is_v4}),
                              *bits, format_ip(*address))});
    }
    return cidr;
}

bool is_everyone(const Cidr& cidr) {
    static const Cidr kEveryV4 = *parse_cidr("0.0.0.0/0");
    return cidr.prefix_bits == 0 || cidr == kEveryV4;
}

}  // namespace weir::config
