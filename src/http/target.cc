#include "http/target.h"

#include <algorithm>

#include "http/char_class.h"

namespace weir::http {
namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";

/// The byte an escape at the start of `text` stands for; nullopt where it is malformed.
std::optional<char> decode_escape(std::string_view text) {
    if (text.size() < 3 || !all_are(text.substr(1, 2), kHexDigit)) return std::nullopt;
    return static_cast<char>(hex_value(text[1]) << 4 | hex_value(text[2]));
}

/// What stands in a path as itself (RFC 3986, 3.3, `pchar`).
bool is_path_character(char c) { return is(c, kRegName) || c == ',' || c == ':' || c == '@'; }

/// Appends one byte of a path as it stands in the normal form.
void append_normal(char byte, std::string& out) {
    if (is_path_character(byte)) return out.push_back(byte);
    const auto value = static_cast<unsigned char>(byte);
    out.push_back('%');
    out.push_back(kUpperHex[value >> 4]);
    out.push_back(kUpperHex[value & 15]);
}

/// The path with every escape in its normal form, its segments as they are.
std::optional<std::string> normalise_escapes(std::string_view path) {
    std::string out;
    out.reserve(path.size());
    for (size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '/') {
            out.push_back('/');
            continue;
        }
        const bool is_escape = path[i] == '%';
        const auto byte = is_escape ? decode_escape(path.substr(i)) : path[i];
        if (!byte || *byte == '\0' || *byte == '/' || *byte == '\\') return std::nullopt;
        append_normal(*byte, out);
        if (is_escape) i += 2;
    }
    return out;
}

/// Readers differ in whether what stands behind a ";" belongs to the segment: servers of Java drop it first.
std::string_view without_parameters(std::string_view segment) { return segment.substr(0, segment.find(';')); }

/// Rewrites `path`, which begins with "/", in place: dot segments and doubled slashes go. False where ".."
/// has nothing to take back, or comes behind an empty segment: readers differ in whether it takes that back
/// or the one before. False too where a segment is made of dots to some readers only.
bool remove_dot_segments(std::string& path) {
    size_t end = 1;  // of what is already in normal form; it ends in "/" before every segment
    bool saw_empty = false;
    for (size_t at = 1; at < path.size();) {
        const size_t stop = std::min(path.find('/', at), path.size());
        const bool is_last = stop == path.size();
        const std::string_view segment = std::string_view(path).substr(at, stop - at);
        const std::string_view name = without_parameters(segment);
        const bool is_dots = name == "." || name == "..";
        if (is_dots && name != segment) return false;
        if (segment == "..") {
            if (end == 1 || saw_empty) return false;
            end = path.rfind('/', end - 2) + 1;
        } else if (!segment.empty() && segment != ".") {
            const size_t length = segment.size() + (is_last ? 0 : 1);
            std::copy_n(path.data() + at, length, path.data() + end);
            end += length;
        }
        saw_empty = saw_empty || name.empty();
        at = stop + 1;
    }
    path.resize(end);
    return true;
}

}  // namespace

std::optional<std::string> normalise_path(std::string_view path) {
    if (path == "*") return std::string(path);
    if (path.empty() || path.front() != '/') return std::nullopt;
    std::optional<std::string> normal = normalise_escapes(path);
    if (normal && !remove_dot_segments(*normal)) return std::nullopt;
    return normal;
}

std::optional<std::string> path_with_dots(std::string_view path) {
    if (path.empty() || path.front() != '/') return std::nullopt;
    std::optional<std::string> text = normalise_escapes(path);
    if (!text) return std::nullopt;
    const auto both_slashes = [](char a, char b) { return a == '/' && b == '/'; };
    text->erase(std::unique(text->begin(), text->end(), both_slashes), text->end());
    const std::string segments = *text + "/";
    const bool has_dots =
        segments.find("/./") != std::string::npos || segments.find("/../") != std::string::npos;
    return has_dots ? text : std::nullopt;
}

std::optional<QueryParameter> QueryWalk::next() {
    while (!rest_.empty()) {
        const size_t end = std::min(rest_.find('&'), rest_.size());
        const std::string_view piece = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        if (piece.empty()) continue;
        const size_t equals = piece.find('=');
        if (equals == std::string_view::npos) return QueryParameter{piece, {}, false};
        return QueryParameter{piece.substr(0, equals), piece.substr(equals + 1), true};
    }
    return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out.push_back(' ');
        } else if (text[i] != '%') {
            out.push_back(text[i]);
        } else {
            const auto byte = decode_escape(text.substr(i));
            if (!byte) return std::nullopt;
            out.push_back(*byte);
            i += 2;
        }
    }
    return out;
}

}  // namespace weir::http
