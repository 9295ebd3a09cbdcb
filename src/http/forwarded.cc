#include "http/forwarded.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "http/char_class.h"
#include "http/list_walk.h"

namespace weir::http {
namespace {

constexpr size_t kNone = std::string_view::npos;

/// Nothing, or a colon and a port, which may be an obfuscated one (RFC 7239, 6).
bool is_port(std::string_view text) {
    constexpr size_t kMaxDigits = 5;
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (text.starts_with('_')) return text.size() > 1 && all_are(text, kToken);
    return !text.empty() && text.size() <= kMaxDigits && all_are(text, kDigit);
}

/// An address, maybe with a port; IPv6 in brackets, or bare, as many write it in X-Forwarded-For.
std::optional<IpBytes> address_of(std::string_view node) {
    if (node.starts_with('[')) {
        const size_t close = node.find(']');
        if (close == kNone) return std::nullopt;
        return is_port(node.substr(close + 1)) ? ipv6_of(node.substr(1, close - 1)) : std::nullopt;
    }
    const size_t colon = node.find(':');
    if (colon == kNone) return ipv4_of(node);
    if (node.find(':', colon + 1) != kNone) return ipv6_of(node);
    return is_port(node.substr(colon)) ? ipv4_of(node.substr(0, colon)) : std::nullopt;
}

/// Whether a backslash takes the meaning from the character at `at`.
bool is_escaped(std::string_view text, size_t at) {
    size_t first = at;
    while (first > 0 && text[first - 1] == '\\') --first;
    return (at - first) % 2 == 1;
}

/// Where the last element of a Forwarded line begins, commas inside quoted strings aside. Read from the
/// right, so that nothing a client has written can change what the proxy behind it appended.
size_t last_element(std::string_view line) {
    bool is_quoted = false;
    for (size_t at = line.size(); at > 0; --at) {
        const char c = line[at - 1];
        if (c == '"' && !(is_quoted && is_escaped(line, at - 1))) is_quoted = !is_quoted;
        if (c == ',' && !is_quoted) return at;
    }
    return 0;
}

/// Where the first ";" stands that is not quoted, or the end.
size_t pair_end(std::string_view element) {
    bool is_quoted = false;
    for (size_t at = 0; at < element.size(); ++at) {
        const char c = element[at];
        if (c == '"' && !(is_quoted && is_escaped(element, at))) is_quoted = !is_quoted;
        if (c == ';' && !is_quoted) return at;
    }
    return element.size();
}

/// The value of one pair where its name is `for`, without its quotes. Escapes stay: no address has one.
std::optional<std::string_view> for_value(std::string_view pair) {
    const size_t equals = pair.find('=');
    if (equals == kNone || !equals_ignoring_case(pair.substr(0, equals), "for")) return std::nullopt;
    const std::string_view value = pair.substr(equals + 1);
    if (!value.starts_with('"')) return value;
    const bool is_closed = value.size() > 1 && value.ends_with('"');
    return is_closed ? value.substr(1, value.size() - 2) : std::string_view();
}

/// The address of the parameter `for`; nullopt where there is none, or more than one.
std::optional<IpBytes> address_of_element(std::string_view element) {
    std::optional<std::string_view> found;
    while (!element.empty()) {
        const size_t end = pair_end(element);
        const auto value = for_value(trim_ows(element.substr(0, end)));
        if (value && found) return std::nullopt;
        if (value) found = value;
        element.remove_prefix(std::min(end + 1, element.size()));
    }
    return found ? address_of(*found) : std::nullopt;
}

/// How the members of one of the two fields are told apart and read.
struct Syntax {
    FieldId field;
    size_t (*last_member)(std::string_view line);
    std::optional<IpBytes> (*address)(std::string_view member);
};

constexpr Syntax kXForwardedFor = {
    FieldId::x_forwarded_for,
    [](std::string_view line) {
        const size_t comma = line.rfind(',');
        return comma == kNone ? 0 : comma + 1;
    },
    address_of,
};
constexpr Syntax kForwarded = {FieldId::forwarded, last_element, address_of_element};

/// One walk through all lines of one of the two fields.
class Walk {
  public:
    Walk(const IpBytes& peer, TrustedProxies trusts) : client_(peer), trusts_(trusts) {}

    void run(const Syntax& syntax, std::span<const Field> fields) {
        for (auto field = fields.rbegin(); field != fields.rend() && !has_ended_; ++field) {
            if (field->id == syntax.field) run_line(syntax, field->value);
        }
    }

    [[nodiscard]] bool has_moved() const { return hops_ > 0; }
    [[nodiscard]] const IpBytes& client() const { return client_; }

  private:
    void run_line(const Syntax& syntax, std::string_view line) {
        const bool is_cut = line.size() > bytes_left_;
        if (is_cut) {
            // What is left of the member that is cut in two may look like another address.
            line.remove_prefix(line.size() - bytes_left_);
            const size_t comma = line.find(',');
            line.remove_prefix(comma == kNone ? line.size() : comma + 1);
        }
        bytes_left_ = is_cut ? 0 : bytes_left_ - line.size();
        while (!line.empty() && !has_ended_) {
            const size_t begin = syntax.last_member(line);
            const std::string_view member = trim_ows(line.substr(begin));
            if (!member.empty()) step(syntax.address(member));
            line.remove_suffix(line.size() - (begin == 0 ? 0 : begin - 1));
        }
    }

    void step(std::optional<IpBytes> address) {
        ++hops_;
        has_ended_ = !address || hops_ == kMaxForwardedHops;
        if (!address) return;
        client_ = *address;
        has_ended_ = has_ended_ || !trusts_(client_);
    }

    IpBytes client_;
    TrustedProxies trusts_;
    size_t hops_ = 0;
    size_t bytes_left_ = kMaxForwardedBytes;
    bool has_ended_ = false;
};

}  // namespace

ForwardedClient forwarded_client(const IpBytes& peer, std::span<const Field> fields, TrustedProxies trusts) {
    ForwardedClient found{.address = peer, .peer_is_trusted = trusts(peer), .is_disputed = false};
    if (!found.peer_is_trusted) return found;
    Walk by_x_forwarded_for(peer, trusts);
    by_x_forwarded_for.run(kXForwardedFor, fields);
    Walk by_forwarded(peer, trusts);
    by_forwarded.run(kForwarded, fields);
    if (!by_forwarded.has_moved()) {
        found.address = by_x_forwarded_for.client();
    } else if (!by_x_forwarded_for.has_moved() || by_x_forwarded_for.client() == by_forwarded.client()) {
        found.address = by_forwarded.client();
    } else {
        found.is_disputed = true;
    }
    return found;
}

}  // namespace weir::http
