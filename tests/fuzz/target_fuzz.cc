// Paths and queries: one normal form, reached in one step, and pieces that lie where they stood.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "http/target.h"
#include "input.h"

namespace weir::fuzz {
namespace {

using http::normalise_path;
using http::percent_decode;
using http::QueryWalk;

/// RFC 3986, 3.3, `pchar`.
bool is_path_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

std::string escaped(char c, const char* digits) {
    const auto byte = static_cast<uint8_t>(c);
    return {'%', digits[byte >> 4], digits[byte & 15]};
}

constexpr const char* kUpper = "0123456789ABCDEF";
constexpr const char* kLower = "0123456789abcdef";

std::string fully_escaped(std::string_view text, const char* digits) {
    std::string out;
    for (const char c : text) out += escaped(c, digits);
    return out;
}

bool has_segment(std::string_view path, std::string_view segment) {
    const std::string inner = "/" + std::string(segment) + "/";
    return path.find(inner) != std::string_view::npos || path.ends_with(inner.substr(0, inner.size() - 1));
}

/// The path with one character written as an escape, which changes nothing of what it means.
std::string disguised(std::string_view path, Choices& choices) {
    const size_t at = choices.below(path.size());
    const bool inside_escape = (at >= 1 && path[at - 1] == '%') || (at >= 2 && path[at - 2] == '%');
    if (inside_escape || path[at] == '%' || path[at] == '/') return std::string(path);
    return std::string(path.substr(0, at)) + escaped(path[at], choices.coin() ? kUpper : kLower) +
           std::string(path.substr(at + 1));
}

void require_canonical_escapes(std::string_view normal) {
    for (size_t at = normal.find('%'); at != std::string_view::npos; at = normal.find('%', at + 1)) {
        const auto decoded = percent_decode(normal.substr(at, 3), false);
        require(decoded.has_value() && !is_path_character(decoded->front()), "only what must be is escaped");
        require(escaped(decoded->front(), kUpper) == normal.substr(at, 3), "escapes are in upper case");
    }
}

void check_path(std::string_view path, Choices& choices) {
    const auto normal = normalise_path(path);
    if (!normal) return;
    require(normal->size() <= 3 * path.size() + 1, "a normal form is as long as all escaped at most");
    require(normalise_path(*normal) == normal, "a normal form stays as it is");
    if (!path.starts_with('/')) return;
    require(normal->starts_with('/'), "a path stays a path");
    require(normal->find("//") == std::string::npos, "slashes are merged");
    require(!has_segment(*normal, ".") && !has_segment(*normal, ".."), "dot segments are removed");
    require(std::count(normal->begin(), normal->end(), '/') <= std::count(path.begin(), path.end(), '/'),
            "no slash comes out of an escape");
    require_canonical_escapes(*normal);
    require(normalise_path("/r" + std::string(path)) == "/r" + *normal, "no path climbs above its root");
    require(normalise_path(disguised(path, choices)) == normal, "an escape in disguise changes nothing");
}

/// With dot segments, and without what they take back.
void check_dots(std::string_view path) {
    const auto dotted = http::path_with_dots(path);
    if (!dotted) return;
    require(has_segment(*dotted, ".") || has_segment(*dotted, ".."), "dot segments stay");
    require(dotted->starts_with('/') && dotted->find("//") == std::string::npos, "slashes are merged");
    require(http::path_with_dots(*dotted) == dotted, "what has dots already stays as it is");
    if (const auto normal = normalise_path(path))
        require(normalise_path(*dotted) == normal, "dots aside both are one path");
}

void check_query(std::string_view query) {
    QueryWalk walk(query);
    std::string_view rest = query;
    while (const auto piece = walk.next()) {
        rest.remove_prefix(std::min(rest.find_first_not_of('&'), rest.size()));
        const std::string_view whole = rest.substr(0, rest.find('&'));
        const std::string joined =
            std::string(piece->name) + (piece->has_equals ? "=" : "") + std::string(piece->value);
        require(lies_in(piece->name, query) && lies_in(piece->value, query), "a piece lies in its query");
        require(joined == whole, "a piece is all that stands between two ampersands");
        require(piece->name.find('=') == std::string_view::npos, "the first equals sign ends the name");
        rest.remove_prefix(whole.size());
    }
    require(rest.find_first_not_of('&') == std::string_view::npos, "no piece is left out");
    require(!walk.next(), "a walk that has ended stays so");
}

void check_decoding(std::string_view text) {
    for (const bool plus_is_space : {false, true}) {
        const auto decoded = percent_decode(text, plus_is_space);
        if (decoded) require(decoded->size() <= text.size(), "decoding never lengthens");
        for (const char* digits : {kUpper, kLower}) {
            require(percent_decode(fully_escaped(text, digits), plus_is_space) == std::string(text),
                    "decoding undoes encoding");
        }
    }
}

void run(std::string_view input) {
    Choices choices(input);
    const ExactCopy copy(input);
    check_path(copy.view(), choices);
    check_dots(copy.view());
    check_query(copy.view());
    check_decoding(copy.view());

    const size_t mark = std::min(input.find('?'), input.size());
    const ExactCopy path(input.substr(0, mark));
    check_path(path.view(), choices);
    check_dots(path.view());
    if (mark < input.size()) check_query(input.substr(mark + 1));
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
