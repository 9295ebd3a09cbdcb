// The fields that decide where a message ends and whether its connection goes on: the same rules for both
// directions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace weir::http {

/// How many members all Connection fields of a head may have together. Every field is compared with each of
/// them when the head is written anew, so this bounds what one small head can cost.
inline constexpr size_t kMaxConnectionMembers = 32;

/// Hand it every field of a head in order, then ask.
class GoverningFields {
  public:
    /// What is wrong with the field in itself or beside those before it, as one static clause; nullptr if
    /// nothing is.
    const char* note(const Field&);
    /// What is wrong with all of them together; nullptr if nothing is. Call it once, behind the last field.
    [[nodiscard]] const char* conclude(Version) const;

    [[nodiscard]] bool keeps_alive(Version version) const {
        return !says_close_ && (version == Version::http11 || says_keep_alive_);
    }
    /// The first Upgrade field where it counts: in HTTP/1.1, and named in Connection. Further ones only offer
    /// more.
    [[nodiscard]] std::string_view upgrade(Version version) const {
        return version == Version::http11 && says_upgrade_ ? upgrade_ : std::string_view();
    }
    [[nodiscard]] bool is_chunked() const { return is_chunked_; }
    [[nodiscard]] std::optional<uint64_t> content_length() const { return content_length_; }

  private:
    const char* note_content_length(std::string_view value);
    const char* note_transfer_encoding(std::string_view value);
    const char* note_connection(std::string_view value);

    std::optional<uint64_t> content_length_;
    std::string_view upgrade_;
    size_t connection_members_ = 0;
    bool is_chunked_ = false;
    bool says_close_ = false;
    bool says_keep_alive_ = false;
    bool says_upgrade_ = false;
};

/// The names that the Connection fields of a checked head list: fields of these names are for this connection
/// alone.
class ConnectionNames {
  public:
    explicit ConnectionNames(const std::vector<Field>& fields);
    [[nodiscard]] bool contain(std::string_view name) const;

  private:
    struct Name {
        const char* begin;
        size_t size;
    };
    // Left as it is until it is filled: one of these is made for every head that is written, and nearly all
    // stay empty.
    std::array<Name, kMaxConnectionMembers> names_;
    size_t size_ = 0;
};

}  // namespace weir::http
