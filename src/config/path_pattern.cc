#include "config/path_pattern.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

using Segment = PathPattern::Segment;
using Checked = std::optional<Wrong>;  ///< none: it is right

constexpr size_t kMaxPatternBytes = 4096;

bool is_unreserved(char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

/// RFC 3986, 3.3, without the percent sign.
bool is_path_character(char c) {
    return is_unreserved(c) || std::string_view("!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

bool is_upper_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); }

int hex_value(char c) { return is_digit(c) ? c - '0' : c - 'A' + 10; }

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        if (is_path_character(c) || c == '/' || c == '%' || c == '{' || c == '}') {
            encoded += c;
        } else {
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return encoded;
}

Checked check_escape(std::string_view text, std::string_view rest) {
    const std::string_view escape = rest.substr(0, 3);
    if (escape.size() < 3 || !is_upper_hex(escape[1]) || !is_upper_hex(escape[2])) {
        return Wrong{fmt::format("{} has an incomplete or lower-case escape", quoted(text)),
                     "write `%` and two hex digits in upper case, as in `%20`"};
    }
    const auto decoded = static_cast<char>(hex_value(escape[1]) * 16 + hex_value(escape[2]));
    // An asterisk has another meaning here, so that the escape is the one way to write it.
    if (is_path_character(decoded) && decoded != '*') {
        return Wrong{fmt::format("{} has `{}`, which is compared as `{}`", quoted(text), escape, decoded),
                     fmt::format("write `{}`", decoded)};
    }
    if (decoded == '\0' || decoded == '/' || decoded == '\\') {
        return Wrong{fmt::format("{} has `{}`, and a path with it is always refused", quoted(text), escape),
                     {}};
    }
    return std::nullopt;
}

Checked check_characters(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '?' || c == '#') {
            return Wrong{fmt::format("{} has a `{}`, and a path ends before it", quoted(text), c),
                         fmt::format("did you mean {}?", quoted(text.substr(0, i)))};
        }
        if (c == '%') {
            if (Checked wrong = check_escape(text, text.substr(i))) return wrong;
        } else if (!is_path_character(c) && c != '/' && c != '{' && c != '}') {
            return Wrong{fmt::format("{} has a character that no path has", quoted(text)),
                         fmt::format("did you mean {}?", quoted(percent_encoded(text)))};
        }
    }
    return std::nullopt;
}

/// What may have been meant by a text that does not begin with a slash.
std::string hint_for(std::string_view text) {
    if (text.empty()) return "write `/` for the root";
    if (text == "true" || text == "on") return "write a path that the app has";
    constexpr std::string_view kBehindScheme = "://";
    const size_t scheme = text.find(kBehindScheme);
    if (scheme == std::string_view::npos)
        return fmt::format("did you mean {}?", quoted(fmt::format("/{}", text)));
    const size_t slash = text.find('/', scheme + kBehindScheme.size());
    const std::string_view path = slash == std::string_view::npos ? "/" : text.substr(slash);
    return fmt::format("did you mean {}?", quoted(path));
}

Checked check_whole(std::string_view text) {
    if (!text.starts_with('/')) return Wrong{quoted(text) + " does not begin with a slash", hint_for(text)};
    if (text.size() > kMaxPatternBytes) return Wrong{"the path is too long", {}};
    const size_t star = text.find('*');
    if (star < text.size() - 1) {
        return Wrong{quoted(text) + " has a `*` before its end", "`*` stands for everything that follows"};
    }
    return check_characters(text);
}

bool is_parameter_name(std::string_view name) {
    const auto belongs = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; };
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), belongs);
}

/// As paths are compared: there an asterisk stands as itself.
std::string with_asterisks(std::string_view segment) {
    constexpr std::string_view kEscape = "%2A";
    std::string text;
    while (!segment.empty()) {
        const size_t at = std::min(segment.find(kEscape), segment.size());
        text.append(segment.substr(0, at));
        if (at < segment.size()) text += '*';
        segment.remove_prefix(std::min(at + kEscape.size(), segment.size()));
    }
    return text;
}

Result<Segment, Wrong> parse_segment(std::string_view text, std::string_view segment) {
    const bool has_brace = segment.find_first_of("{}") != std::string_view::npos;
    if (!has_brace) {
        if (segment != "." && segment != "..") return Segment{with_asterisks(segment), false};
        return fail(Wrong{fmt::format("{} has a {} in it, which is resolved before paths are compared",
                                      quoted(text), quoted(segment)),
                          {}});
    }
    const bool is_whole = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
    const std::string_view name = is_whole ? segment.substr(1, segment.size() - 2) : std::string_view{};
    if (is_parameter_name(name)) return Segment{std::string(name), true};
    return fail(Wrong{fmt::format("{} has {}, which is not a parameter", quoted(text), quoted(segment)),
                      "a parameter is all that stands between two slashes, as in `/documents/{id}`"});
}

Checked check_segment(std::string_view text, const PathPattern& before, const Segment& segment,
                      bool is_last) {
    if (segment.is_parameter && has_parameter(before, segment.text)) {
        return Wrong{fmt::format("{} names {} twice", quoted(text), quoted(segment.text)), {}};
    }
    if (segment.text.empty() && !is_last) {
        return Wrong{
            quoted(text) + " has an empty segment: doubled slashes are merged before paths are compared",
            "write one slash"};
    }
    return std::nullopt;
}

}  // namespace

Result<PathPattern, Wrong> parse_pattern(std::string_view text) {
    if (Checked wrong = check_whole(text)) return fail(std::move(*wrong));
    PathPattern pattern;
    pattern.text = text;
    pattern.takes_rest = text.ends_with('*');
    std::string_view rest = pattern.takes_rest ? text.substr(0, text.size() - 1) : text;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string_view written = rest.substr(0, rest.find('/'));
        rest.remove_prefix(written.size());
        Result<Segment, Wrong> segment = parse_segment(text, written);
        if (!segment) return fail(std::move(segment.error()));
        if (Checked wrong = check_segment(text, pattern, *segment, rest.empty()))
            return fail(std::move(*wrong));
        if (segment->is_parameter && rest.empty() && pattern.takes_rest) {
            return fail(Wrong{fmt::format("{} has a `*` within a segment that is a parameter", quoted(text)),
                              fmt::format("did you mean {}?",
                                          quoted(fmt::format("{}/*", text.substr(0, text.size() - 1))))});
        }
        pattern.segments.push_back(std::move(*segment));
    }
    return pattern;
}

Result<std::string, Wrong> parse_path(std::string_view text) {
    Result<PathPattern, Wrong> pattern = parse_pattern(text);
    if (!pattern) return fail(std::move(pattern.error()));
    const auto is_parameter = [](const Segment& segment) { return segment.is_parameter; };
    if (pattern->takes_rest ||
        std::any_of(pattern->segments.begin(), pattern->segments.end(), is_parameter)) {
        return fail(Wrong{quoted(text) + " is a pattern, not one path", "write it as in `/healthz`"});
    }
    return std::string(text);
}

bool covers(const PathPattern& outer, const PathPattern& inner) {
    const size_t last = outer.segments.size() - 1;
    if (outer.takes_rest ? inner.segments.size() <= last
                         : inner.takes_rest || inner.segments.size() != outer.segments.size()) {
        return false;
    }
    for (size_t i = 0; i <= last; ++i) {
        const Segment& out = outer.segments[i];
        const Segment& in = inner.segments[i];
        if (outer.takes_rest && i == last) {
            return in.is_parameter ? out.text.empty() : in.text.starts_with(out.text);
        }
        const bool takes =
            out.is_parameter ? in.is_parameter || !in.text.empty() : !in.is_parameter && in.text == out.text;
        if (!takes) return false;
    }
    return true;
}

bool has_parameter(const PathPattern& pattern, std::string_view name) {
    return std::any_of(pattern.segments.begin(), pattern.segments.end(),
                       [&](const Segment& segment) { return segment.is_parameter && segment.text == name; });
}

}  // namespace weir::config
