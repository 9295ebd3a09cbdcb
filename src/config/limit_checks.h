// What contradicts itself in limits and in what tells clients apart.
#pragma once

#include "config/findings.h"

namespace weir::config {

/// `clients`, `limits` and `shadow`.
void check_limits(Findings& findings);

/// The limits of one scope, written at `spot`, for requests that end after `total`.
void check_scope(Findings& findings, const ScopeLimits& limits, const Spot& spot, Duration total);

}  // namespace weir::config
