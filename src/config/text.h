// Text as a person sees it: characters instead of bytes, and nothing that could confuse a terminal or a log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::config {

/// The character that begins at `text[0]`: its code point and how many bytes it takes. A byte that begins no
/// valid UTF-8 sequence (overlong forms and surrogates included) is one byte long and not `valid`.
struct Character {
    char32_t code = 0;
    size_t bytes = 1;
    bool valid = false;
};
[[nodiscard]] Character first_character(std::string_view text);  ///< `text` is not empty

/// Whether a character would be invisible, or move others, where it is shown: controls, bidirectional marks,
/// joiners.
[[nodiscard]] bool is_unprintable(char32_t code);

/// How one character is shown: itself, or an escape such as `\x1b` or `\u{202e}`. A tab becomes a blank.
[[nodiscard]] std::string printable_character(std::string_view bytes, Character character);

/// What someone wrote, made safe to quote in a message, and cut to `most` characters.
[[nodiscard]] std::string printable(std::string_view text, size_t most = 60);

/// `text` between backquotes, as `printable` shows it.
[[nodiscard]] std::string quoted(std::string_view text);

[[nodiscard]] size_t count_characters(std::string_view text);

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace weir::config
