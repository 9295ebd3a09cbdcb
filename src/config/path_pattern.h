// Patterns of paths: `/reports`, `/reports/*`, `/documents/{id}/pages`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

/// Begins with a slash; `{name}` is a whole segment, `*` the end. Otherwise in the one form that paths have
/// when they are compared (http/target.h): what no request could match is refused.
Result<PathPattern, Wrong> parse_pattern(std::string_view text);

/// One path, without `{name}` and `*`.
Result<std::string, Wrong> parse_path(std::string_view text);

/// Whether every path that matches `inner` matches `outer` too.
[[nodiscard]] bool covers(const PathPattern& outer, const PathPattern& inner);

/// Whether a segment of the pattern is `{name}`.
[[nodiscard]] bool has_parameter(const PathPattern& pattern, std::string_view name);

}  // namespace weir::config
