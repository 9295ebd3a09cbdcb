// JSON Schema of the single values of the language: one shape for each type of the field table.
#pragma once

#include <nlohmann/json.hpp>

#include "config/field_table.h"

namespace weir::cli {

using Json = nlohmann::ordered_json;

/// What one value of the row may be, without its list and its description. Refers to scalar_definitions().
/// A value with a variable in it (`${NAME}`) passes: what it becomes is not known before weir runs.
[[nodiscard]] Json scalar_schema(const config::Field& field);

/// The same for the keys of a map, in which nothing is expanded.
[[nodiscard]] Json name_schema(config::Type type);

/// For "$defs".
[[nodiscard]] Json scalar_definitions();

/// One of several. Alternatives of an alternative become its own.
[[nodiscard]] Json any_of(std::vector<Json> parts);

}  // namespace weir::cli
