#include "http/escape.h"

#include <array>

#include "http/byte_scan.h"
#include "http/char_class.h"
#include "http/list_walk.h"

namespace weir::http {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr unsigned char kDelete = 0x7f;

/// The bytes that stand for themselves whatever is around them.
using PlainBytes = std::array<bool, 256>;

constexpr PlainBytes plain_bytes(Escaping how) {
    PlainBytes plain{};
    for (unsigned c = 0x20; c < plain.size(); ++c) {
        const std::string_view special = how == Escaping::json     ? "\"\\"
                                         : how == Escaping::markup ? "&<>\"'"
                                                                   : "";
        const bool is_ascii = c < 0x80;
        plain[c] = (is_ascii || how == Escaping::plain) && c != kDelete &&
                   special.find(static_cast<char>(c)) == std::string_view::npos;
    }
    return plain;
}

constexpr std::array<PlainBytes, 3> kPlainBytes = {plain_bytes(Escaping::json), plain_bytes(Escaping::markup),
                                                   plain_bytes(Escaping::plain)};

size_t plain_run(const PlainBytes& plain, std::string_view text) {
    const char* const end = text.data() + text.size();
    const char* p = skip_unremarkable(text.data(), end);
    while (p != end && plain[static_cast<unsigned char>(*p)]) ++p;
    return static_cast<size_t>(p - text.data());
}

struct ByteRange {
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
};

/// What may follow a lead byte: shorter forms of the same character, surrogates and anything behind U+10FFFF
/// are no UTF-8 (RFC 3629, 4).
constexpr ByteRange second_byte(unsigned char lead) {
    switch (lead) {
        case 0xE0: return {0xA0, 0xBF};
        case 0xED: return {0x80, 0x9F};
        case 0xF0: return {0x90, 0xBF};
        case 0xF4: return {0x80, 0x8F};
        default: return {};
    }
}

constexpr size_t size_by_lead(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// How many bytes the first character takes; 0 where it is not UTF-8. `text` is not empty.
size_t utf8_size(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const size_t size = size_by_lead(lead);
    if (size > text.size()) return 0;
    for (size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const ByteRange range = i == 1 ? second_byte(lead) : ByteRange();
        if (byte < range.low || byte > range.high) return 0;
    }
    return size;
}

/// U+FFFE and U+FFFF, which XML does not allow (XML 1.0, 2.2).
bool is_no_xml(std::string_view character) {
    return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

void write_json(char c, Out& out) {
    switch (c) {
        case '"': out.text("\\\""); return;
        case '\\': out.text("\\\\"); return;
        case '\n': out.text("\\n"); return;
        case '\r': out.text("\\r"); return;
        case '\t': out.text("\\t"); return;
        default: break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    const char escaped[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 0xF]};
    out.text({escaped, sizeof escaped});
}

void write_markup(char c, Out& out) {
    switch (c) {
        case '&': out.text("&amp;"); return;
        case '<': out.text("&lt;"); return;
        case '>': out.text("&gt;"); return;
        case '"': out.text("&quot;"); return;
        case '\'': out.text("&#39;"); return;
        case '\n':
        case '\r':
        case '\t': out.text({&c, 1}); return;
        default: out.text(kReplacement); return;
    }
}

void write_ascii(Escaping how, char c, Out& out) {
    switch (how) {
        case Escaping::json: write_json(c, out); return;
        case Escaping::markup: write_markup(c, out); return;
        case Escaping::plain: return;
    }
}

/// Whether the lower-case `suffix` ends the text, ignoring case.
bool ends_with(std::string_view text, std::string_view suffix) {
    if (text.size() < suffix.size()) return false;
    text.remove_prefix(text.size() - suffix.size());
    for (size_t i = 0; i < suffix.size(); ++i) {
        if (lower(text[i]) != suffix[i]) return false;
    }
    return true;
}

}  // namespace

Escaping escaping_for(std::string_view content_type) {
    const std::string_view type = trim_ows(content_type.substr(0, content_type.find(';')));
    if (ends_with(type, "/json") || ends_with(type, "+json")) return Escaping::json;
    const bool is_markup = ends_with(type, "/html") || ends_with(type, "/xml") || ends_with(type, "+xml");
    const bool is_media_type = type.find('/') != std::string_view::npos;
    return is_markup || !is_media_type ? Escaping::markup : Escaping::plain;
}

void write_escaped(Escaping how, std::string_view text, Out& out) {
    const PlainBytes& plain = kPlainBytes[static_cast<size_t>(how)];
    while (true) {
        const size_t run = plain_run(plain, text);
        out.text(text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) return;
        const size_t size = utf8_size(text);
        const std::string_view character = text.substr(0, size);
        if (size == 1) {
            write_ascii(how, text.front(), out);
        } else if (size == 0 || (how == Escaping::markup && is_no_xml(character))) {
            out.text(kReplacement);
        } else {
            out.text(character);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
}

}  // namespace weir::http
