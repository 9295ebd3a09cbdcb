// What holds between the keys of one listening address, and around it.
#pragma once

#include "config/findings.h"

namespace weir::config {

void check_listeners(Findings& findings);

}  // namespace weir::config
