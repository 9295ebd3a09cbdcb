#include "config/text.h"

#include <fmt/format.h>

namespace weir::config {
namespace {

struct Shape {
    size_t bytes;
    unsigned char mask;  ///< the bits of the first byte that belong to the code point
    char32_t least;      ///< anything smaller is an overlong form
};

Shape shape_of(unsigned char first) {
    if (first < 0x80) return {1, 0x7f, 0};
    if (first >= 0xc0 && first < 0xe0) return {2, 0x1f, 0x80};
    if (first >= 0xe0 && first < 0xf0) return {3, 0x0f, 0x800};
    if (first >= 0xf0 && first < 0xf8) return {4, 0x07, 0x10000};
    return {0, 0, 0};
}

bool is_scalar_value(char32_t code) { return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff); }

}  // namespace

Character first_character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const Shape shape = shape_of(first);
    if (shape.bytes == 0 || shape.bytes > text.size()) return {first, 1, false};
    char32_t code = first & shape.mask;
    for (size_t i = 1; i < shape.bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return {first, 1, false};
        code = (code << 6) | (next & 0x3f);
    }
    if (code < shape.least || !is_scalar_value(code)) return {first, 1, false};
    return {code, shape.bytes, true};
}

bool is_unprintable(char32_t code) {
    const auto within = [code](char32_t low, char32_t high) { return code >= low && code <= high; };
    return code < 0x20 || within(0x7f, 0x9f) || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
           within(0x2060, 0x206f) || code == 0xfeff || within(0xfff9, 0xfffb) || within(0xe0000, 0xe007f);
}

std::string printable_character(std::string_view bytes, Character character) {
    if (bytes.front() == '\t') return " ";
    if (!character.valid || character.code < 0x80) {
        const bool escape = !character.valid || is_unprintable(character.code);
        return escape ? fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()))
                      : std::string(bytes.substr(0, 1));
    }
    if (is_unprintable(character.code))
        return fmt::format("\\u{{{:x}}}", static_cast<uint32_t>(character.code));
    return std::string(bytes.substr(0, character.bytes));
}

std::string printable(std::string_view text, size_t most) {
    std::string shown;
    for (size_t count = 0; !text.empty(); ++count) {
        if (count == most) return shown + "...";
        const Character character = first_character(text);
        shown += printable_character(text, character);
        text.remove_prefix(character.bytes);
    }
    return shown;
}

std::string quoted(std::string_view text) { return "`" + printable(text) + "`"; }

size_t count_characters(std::string_view text) {
    size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(first_character(text).bytes);
    return count;
}

}  // namespace weir::config
