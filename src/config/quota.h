// How often: `60/min`, `100/15s`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

/// A whole number from 1, a slash, and `s`, `min`, `hour`, `day` or a duration from 100 ms to 31 days.
Result<Quota, Wrong> parse_quota(std::string_view text);

/// The inverse; the words where there is one.
std::string format_quota(const Quota& quota);

/// The name of a rule that was given none: "per-min", "per-15s".
std::string name_of_window(Duration window);

/// Longest window, and longest time that a bucket may take to fill.
inline constexpr Duration kLongestWindow = std::chrono::hours{31 * 24};

}  // namespace weir::config
