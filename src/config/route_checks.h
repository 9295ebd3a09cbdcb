// What contradicts itself in routes, or between them.
#pragma once

#include "config/findings.h"

namespace weir::config {

void check_routes(Findings& findings);

}  // namespace weir::config
