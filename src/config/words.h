// Names and terms of HTTP as they stand in the configuration.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/units.h"

namespace weir::config {

[[nodiscard]] std::string lower_case(std::string_view text);

/// RFC 9110, 5.6.2.
[[nodiscard]] bool is_token(std::string_view text);

/// What the operator calls something: 1 to 64 of [a-z0-9_-].
Result<std::string, Wrong> parse_name(std::string_view text);

/// The name of a header field; gives it in lower case.
Result<std::string, Wrong> parse_token(std::string_view text);

/// Methods are case-sensitive, and all registered ones are in upper case.
Result<std::string, Wrong> parse_method(std::string_view text);

/// type/subtype or type/*, without parameters; gives it in lower case.
Result<std::string, Wrong> parse_media_range(std::string_view text);

/// The value of a Content-Type field.
Result<std::string, Wrong> parse_content_type(std::string_view text);

/// RFC 6454, 6.2, or `*`; gives it in lower case.
Result<std::string, Wrong> parse_origin(std::string_view text);

}  // namespace weir::config
