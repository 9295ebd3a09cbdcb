#include "http/authority.h"

#include <algorithm>
#include <optional>

#include "http/char_class.h"

namespace weir::http {
namespace {

bool is_valid_port(std::string_view port) {
    if (port.empty() || port.size() > 5) return false;
    unsigned value = 0;
    for (const char c : port) {
        if (!is(c, kDigit)) return false;
        value = value * 10 + hex_value(c);
    }
    return value <= 65535;
}

bool is_valid_ipv4(std::string_view text) {
    for (int part = 0; part < 4; ++part) {
        size_t digits = 0;
        unsigned value = 0;
        for (; digits < text.size() && digits < 3 && is(text[digits], kDigit); ++digits) {
            value = value * 10 + hex_value(text[digits]);
        }
        if (digits == 0 || value > 255 || (digits > 1 && text.front() == '0')) return false;
        text.remove_prefix(digits);
        if (part == 3) break;
        if (text.empty() || text.front() != '.') return false;
        text.remove_prefix(1);
    }
    return text.empty();
}

/// Counts the 16-bit groups of one side of "::", or of the whole address; nullopt where it is malformed.
std::optional<int> count_groups(std::string_view side, bool may_end_in_ipv4) {
    if (side.empty()) return 0;
    for (int groups = 1;; ++groups) {
        const size_t colon = side.find(':');
        const std::string_view group = side.substr(0, colon);
        const bool is_last = colon == std::string_view::npos;
        if (is_last && may_end_in_ipv4 && group.find('.') != std::string_view::npos) {
            return is_valid_ipv4(group) ? std::optional(groups + 1) : std::nullopt;
        }
        if (group.empty() || group.size() > 4 || !all_are(group, kHexDigit)) return std::nullopt;
        if (is_last) return groups;
        side.remove_prefix(colon + 1);
    }
}

bool is_valid_ipv6(std::string_view text) {
    const size_t gap = text.find("::");
    if (gap == std::string_view::npos) return count_groups(text, true) == 8;
    const auto before = count_groups(text.substr(0, gap), false);
    const auto after = count_groups(text.substr(gap + 2), true);
    return before && after && *before + *after <= 7;
}

bool is_valid_name(std::string_view name) {
    for (size_t i = 0; i < name.size(); ++i) {
        if (is(name[i], kRegName)) continue;
        const bool is_escape =
            name[i] == '%' && name.size() - i > 2 && all_are(name.substr(i + 1, 2), kHexDigit);
        if (!is_escape) return false;
        i += 2;
    }
    return !name.empty();
}

}  // namespace

bool is_valid_authority(std::string_view authority) {
    const bool is_bracketed = !authority.empty() && authority.front() == '[';
    const size_t host_end = is_bracketed ? authority.find(']') : authority.find(':');
    if (host_end == std::string_view::npos) return !is_bracketed && is_valid_name(authority);

    const bool host_is_valid = is_bracketed ? is_valid_ipv6(authority.substr(1, host_end - 1))
                                            : is_valid_name(authority.substr(0, host_end));
    const std::string_view rest = authority.substr(host_end + (is_bracketed ? 1 : 0));
    if (rest.empty()) return host_is_valid;
    return host_is_valid && rest.front() == ':' && is_valid_port(rest.substr(1));
}

std::string_view plain_host_of(std::string_view authority) {
    if (!is_valid_authority(authority)) return {};
    if (authority.front() == '[') return authority.substr(0, authority.find(']') + 1);
    const std::string_view host = authority.substr(0, authority.find(':'));
    const bool is_plain =
        std::all_of(host.begin(), host.end(), [](char c) { return is(c, kUnreserved) && c != '~'; });
    return is_plain ? host : std::string_view();
}

}  // namespace weir::http
