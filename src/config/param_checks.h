// What contradicts itself in the parameters of a route.
#pragma once

#include "config/findings.h"

namespace weir::config {

/// `spot` is that of `route.params`.
void check_params(Findings& findings, const Route& route, const Spot& spot);

}  // namespace weir::config
