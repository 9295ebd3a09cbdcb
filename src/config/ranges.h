// Ranges of parameters, both ends included and either open: `1..100`, `1..`, `..5`, `-0.5..0.5`.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

Result<IntegerRange, Wrong> parse_integer_range(std::string_view text);
Result<NumberRange, Wrong> parse_number_range(std::string_view text);
/// From 0 on.
Result<IntegerRange, Wrong> parse_length_range(std::string_view text);

/// Decimal digits, with a `-` in front where it is negative, without leading zeros. None: not such a number,
/// or too large.
[[nodiscard]] std::optional<int64_t> parse_signed(std::string_view text);

/// The same with a fraction behind a point; no exponent.
[[nodiscard]] std::optional<double> parse_decimal(std::string_view text);

}  // namespace weir::config
