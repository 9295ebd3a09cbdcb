// How text that came from a client is put into a body so that it stays text there.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/out.h"

namespace weir::http {

enum class Escaping : uint8_t {
    /// Inside a JSON string (RFC 8259, 7). Whatever the text holds, the outcome is UTF-8: what is not becomes
    /// U+FFFD.
    json,
    /// In HTML and XML, between tags or inside a quoted attribute. UTF-8 likewise; control characters, which
    /// XML cannot express, become U+FFFD too.
    markup,
    /// Anywhere else: control bytes are removed, all others stay.
    plain,
};

/// By the media type, whatever its parameters: "application/problem+json; charset=utf-8" is JSON. A text
/// without a media type in it is markup, as a browser that guesses would have it.
[[nodiscard]] Escaping escaping_for(std::string_view content_type);

/// Writes at most escaped_bound(text) bytes.
void write_escaped(Escaping, std::string_view text, Out& out);
constexpr size_t escaped_bound(std::string_view text) {
    constexpr size_t kLongest = std::string_view("\\u001f").size();  // "&quot;" is as long
    return kLongest * text.size();
}

}  // namespace weir::http
