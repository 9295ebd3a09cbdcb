#include "http/governing_fields.h"

#include <charconv>

#include "http/char_class.h"
#include "http/list_walk.h"

namespace weir::http {

const char* GoverningFields::note(const Field& field) {
    if (field.id == FieldId::content_length) return note_content_length(field.value);
    if (field.id == FieldId::transfer_encoding) return note_transfer_encoding(field.value);
    if (field.id == FieldId::connection) return note_connection(field.value);
    if (field.id == FieldId::upgrade && upgrade_.empty()) upgrade_ = field.value;
    return nullptr;
}

const char* GoverningFields::conclude(Version version) const {
    if (is_chunked_ && version == Version::http10) return "Transfer-Encoding in HTTP/1.0";
    if (is_chunked_ && content_length_) return "Content-Length beside Transfer-Encoding";
    return nullptr;
}

const char* GoverningFields::note_content_length(std::string_view value) {
    if (content_length_) return "more than one Content-Length";
    // Apps count in signed 64-bit numbers.
    constexpr uint64_t kMost = INT64_MAX;
    uint64_t length = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, length);
    if (error != std::errc() || stop != end || length > kMost)
        return "Content-Length is not a number of bytes";
    content_length_ = length;
    return nullptr;
}

const char* GoverningFields::note_transfer_encoding(std::string_view value) {
    if (is_chunked_) return "more than one Transfer-Encoding";
    if (!equals_ignoring_case(value, "chunked")) return "Transfer-Encoding is not \"chunked\"";
    is_chunked_ = true;
    return nullptr;
}

const char* GoverningFields::note_connection(std::string_view value) {
    ListWalk members(value);
    while (const auto member = members.next()) {
        if (++connection_members_ > kMaxConnectionMembers) return "Connection has too many members";
        if (member->empty()) continue;
        if (!is_token(*member)) return "a member of Connection is not a token";
        says_close_ = says_close_ || equals_ignoring_case(*member, "close");
        says_keep_alive_ = says_keep_alive_ || equals_ignoring_case(*member, "keep-alive");
        says_upgrade_ = says_upgrade_ || equals_ignoring_case(*member, "upgrade");
    }
    return nullptr;
}

ConnectionNames::ConnectionNames(const std::vector<Field>& fields) {
    for (const Field& field : fields) {
        if (field.id != FieldId::connection) continue;
        ListWalk members(field.value);
        while (const auto member = members.next()) {
            if (member->empty() || size_ == names_.size()) continue;
            names_[size_++] = {member->data(), member->size()};
        }
    }
}

bool ConnectionNames::contain(std::string_view name) const {
    for (size_t i = 0; i < size_; ++i) {
        if (equals_ignoring_case({names_[i].begin, names_[i].size}, name)) return true;
    }
    return false;
}

}  // namespace weir::http
