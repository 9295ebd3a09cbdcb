// What holds between the keys of the app's servers and their health.
#pragma once

#include "config/findings.h"

namespace weir::config {

void check_upstream(Findings& findings);

}  // namespace weir::config
