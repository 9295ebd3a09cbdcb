// Bodies of answers as the operator words them: "<h1>{status} {reason}</h1>".
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

/// A word between braces is a placeholder, and must be one of those that exist. Other braces are themselves,
/// so that JSON and style sheets need no escapes.
Result<std::vector<BodyPiece>, Wrong> parse_body(std::string_view text);

}  // namespace weir::config
