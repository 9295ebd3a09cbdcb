#include "http/field_line.h"

#include "http/byte_scan.h"
#include "http/field_id.h"
#include "http/list_walk.h"

namespace weir::http {
namespace {

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<size_t>(end - begin)};
}

/// RFC 9110, 5.5 allows a tab around a value. Readers that are in wide use take one behind these two values
/// for a part of the value and so see another message, or none.
bool frames_message(FieldId id) { return id == FieldId::content_length || id == FieldId::transfer_encoding; }

const char* describe_bad_name(const char* begin, const char* p, const char* end) {
    const bool is_white = p != end && (*p == ' ' || *p == '\t');
    if (is_white && p == begin) return "a field line begins with white space";
    if (is_white) return "white space between a field name and its colon";
    if (p != end && *p == ':') return "a field has no name";
    return "a field name holds a byte that no name may hold";
}

}  // namespace

const char* read_field_line(const char*& p, const char* end, Field& out) {
    const char* const name = p;
    p = find_token_end(p, end);
    if (p == name || p == end || *p != ':') return describe_bad_name(name, p, end);
    out.name = between(name, p);

    ++p;
    const char* const behind_colon = p;
    while (p != end && (*p == ' ' || *p == '\t')) ++p;
    const char* const value = p;
    p = find_value_end(p, end);
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n') return "a field value holds a control byte";
    out.value = between(value, p);
    while (!out.value.empty() && (out.value.back() == ' ' || out.value.back() == '\t')) {
        out.value.remove_suffix(1);
    }
    out.id = field_id_of(out.name);
    if (frames_message(out.id) && between(behind_colon, p).find('\t') != std::string_view::npos)
        return "a tab beside the value of a field that frames the message";
    p += 2;
    return nullptr;
}

}  // namespace weir::http
