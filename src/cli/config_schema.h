// The language of the configuration as a JSON Schema, for editors and other checkers.
#pragma once

#include <string>

namespace weir::cli {

/// JSON Schema 2020-12, made of the field table. Whatever weir takes is valid, for a reader of YAML 1.2 (but
/// for a variable that expands to nothing in place of a map, and a quoted "~"). What is valid weir may still
/// refuse: bounds of values with a unit, and what holds between keys, only `weir check` knows. No key is
/// required at the top, since variables and flags may give it.
[[nodiscard]] std::string config_schema();

}  // namespace weir::cli
