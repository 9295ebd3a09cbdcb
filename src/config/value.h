// One scalar of the language into the value of its row: type, bounds, allowed words.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/field_table.h"
#include "config/units.h"

namespace weir::config {

/// The whole text is the value. The hint of an error names what is allowed.
[[nodiscard]] Result<Value, Wrong> parse_value(const Field& field, std::string_view text);

/// "a duration", "one of json, combined".
[[nodiscard]] std::string what_it_takes(const Field& field);

/// "allowed: 1KiB to 1TiB"; empty where the type says it all.
[[nodiscard]] std::string what_is_allowed(const Field& field);

}  // namespace weir::config
