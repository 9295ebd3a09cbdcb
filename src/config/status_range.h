// Codes of answers: `200`, `200-399`.
#pragma once

#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

/// Final codes, 200 to 599 (RFC 9110, 15): an interim one (1xx) never ends an answer.
Result<StatusRange, Wrong> parse_status_range(std::string_view text);

}  // namespace weir::config
