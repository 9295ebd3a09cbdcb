#include "config/words.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/endpoint.h"
#include "config/text.h"

namespace weir::config {
namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxTokenBytes = 256;

using Parsed = Result<std::string, Wrong>;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_name_character(char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; }

std::string did_you_mean(std::string_view text) { return fmt::format("did you mean {}?", quoted(text)); }

/// `text` with everything that no name has replaced.
std::string as_name(std::string_view text) {
    std::string name = lower_case(text.substr(0, kMaxNameBytes));
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !is_name_character(c); }, '-');
    return name;
}

std::string upper_case(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) c = is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
    return upper;
}

bool is_method(std::string_view text) {
    const auto belongs = [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_'; };
    return !text.empty() && text.size() <= kMaxTokenBytes && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), belongs);
}

Failure<Wrong> not_an_origin(std::string_view text, std::string_view why, std::string hint) {
    return fail(Wrong{fmt::format("{} {}", quoted(text), why), std::move(hint)});
}

bool is_scheme(std::string_view text) {
    const auto belongs = [](char c) {
        return is_lower(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    };
    return !text.empty() && is_lower(text.front()) && std::all_of(text.begin(), text.end(), belongs);
}

Parsed parse_lower_origin(std::string_view text, std::string_view scheme, std::string_view authority) {
    const size_t path = authority.find_first_of("/?#");
    if (path != std::string_view::npos) {
        return not_an_origin(text, "has a path, which no origin has",
                             did_you_mean(fmt::format("{}://{}", scheme, authority.substr(0, path))));
    }
    if (authority.find('*') != std::string_view::npos) {
        return not_an_origin(text, "has a `*` in it, which is not supported",
                             "list each origin, or write `*` alone");
    }
    const std::string_view usual_port = scheme == "https" ? ":443" : scheme == "http" ? ":80" : "";
    if (!usual_port.empty() && authority.ends_with(usual_port)) {
        authority.remove_suffix(usual_port.size());
        return not_an_origin(text, "has the usual port, which browsers leave out",
                             did_you_mean(fmt::format("{}://{}", scheme, authority)));
    }
    const bool has_port = authority.rfind(':') != std::string_view::npos && !authority.ends_with(']');
    const Result<Endpoint> endpoint =
        parse_endpoint(has_port ? std::string(authority) : fmt::format("{}:80", authority));
    if (!endpoint || endpoint->host.empty()) {
        return not_an_origin(text, "is not an origin", "write it as in `https://app.example`");
    }
    return fmt::format("{}://{}", scheme, authority);
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return lower;
}

bool is_token(std::string_view text) {
    const auto belongs = [](char c) {
        return is_letter(c) || is_digit(c) ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= kMaxTokenBytes && std::all_of(text.begin(), text.end(), belongs);
}

Parsed parse_name(std::string_view text) {
    const bool is_name = !text.empty() && text.size() <= kMaxNameBytes &&
                         std::all_of(text.begin(), text.end(), is_name_character);
    if (is_name) return std::string(text);
    std::string hint = fmt::format("a name has 1 to {} of a-z, 0-9, `_` and `-`", kMaxNameBytes);
    if (!text.empty()) hint = fmt::format("{} ({})", did_you_mean(as_name(text)), hint);
    return fail(Wrong{quoted(text) + " is not a name", std::move(hint)});
}

Parsed parse_token(std::string_view text) {
    if (is_token(text)) return lower_case(text);
    return fail(Wrong{quoted(text) + " is not the name of a header field", "write it as in `X-Api-Key`"});
}

Parsed parse_method(std::string_view text) {
    if (is_method(text)) return std::string(text);
    const std::string upper = upper_case(text);
    return fail(Wrong{quoted(text) + " is not a method",
                      is_method(upper) ? did_you_mean(upper) : std::string("write it as in `POST`")});
}

Parsed parse_media_range(std::string_view text) {
    const size_t slash = text.find('/');
    const std::string_view type = text.substr(0, slash);
    const std::string_view subtype =
        slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
    const size_t parameters = subtype.find(';');
    if (parameters != std::string_view::npos) {
        return fail(Wrong{quoted(text) + " has parameters, which do not count",
                          did_you_mean(fmt::format("{}/{}", type, subtype.substr(0, parameters)))});
    }
    const bool is_any = subtype == "*";
    const bool holds_star =
        type.find('*') != std::string_view::npos || (!is_any && subtype.find('*') != std::string_view::npos);
    if (!holds_star && is_token(type) && is_token(subtype)) return lower_case(text);
    return fail(
        Wrong{quoted(text) + " is not a media type", "write it as in `application/json` or `image/*`"});
}

Parsed parse_content_type(std::string_view text) {
    const std::string_view type = text.substr(0, text.find(';'));
    const auto is_visible = [](char c) { return c >= ' ' && c < '\x7f'; };
    const size_t slash = type.find('/');
    const bool is_type = slash != std::string_view::npos && is_token(type.substr(0, slash)) &&
                         is_token(type.substr(slash + 1));
    if (is_type && text.size() <= kMaxTokenBytes && std::all_of(text.begin(), text.end(), is_visible)) {
        return std::string(text);
    }
    return fail(Wrong{quoted(text) + " is not a media type", "write it as in `text/html; charset=utf-8`"});
}

Parsed parse_origin(std::string_view text) {
    if (text == "*") return std::string(text);
    if (text == "null") {
        return not_an_origin(text, "is what any sandboxed page sends, so it names nobody",
                             "write `*` where any page may");
    }
    const std::string lower = lower_case(text);
    const size_t end = lower.find("://");
    if (end == std::string::npos || !is_scheme(std::string_view(lower).substr(0, end))) {
        return not_an_origin(text, "has no scheme", "write it as in `https://app.example`");
    }
    return parse_lower_origin(text, std::string_view(lower).substr(0, end),
                              std::string_view(lower).substr(end + 3));
}

}  // namespace weir::config
