// The properties that request heads and response heads share.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "llhttp_oracle.h"

namespace weir::fuzz {

/// Where the head at the start of `bytes` ends, after making sure that the fast and the plain scan agree on
/// it for the whole and for arbitrary pieces. nullopt where there is no complete head.
std::optional<std::string_view> find_head(std::string_view bytes);

/// Every field lies in the head and is recognised as what its name says; no name or value can break out of
/// its line.
void require_sound_fields(const std::vector<http::Field>& fields, std::string_view head);

/// The same names and values in the same order.
void require_same_fields(const std::vector<http::Field>& ours, const std::vector<TextField>& theirs);
/// True where white space stands behind "chunked" or a length. RFC 9110, 5.5, allows it, and weir does not
/// send it on; llhttp stumbles over tabs there.
bool has_padded_framing(const std::vector<http::Field>& fields);
bool same_fields(const std::vector<http::Field>& a, const std::vector<http::Field>& b);

/// What must come out on the other side exactly as it went in: the fields that weir has no business with.
std::vector<http::Field> end_to_end(const std::vector<http::Field>& fields);

/// A field's id as a CGI-style app would read its name: with "_" for "-".
http::FieldId folded_id(std::string_view name);
size_t count_folded(const std::vector<http::Field>& fields, http::FieldId id);

std::vector<std::string_view> values_of(const std::vector<http::Field>& fields, http::FieldId id);

}  // namespace weir::fuzz
