// What holds between the admin address and the keys around it.
#pragma once

#include "config/findings.h"

namespace weir::config {

void check_admin(Findings& findings);

}  // namespace weir::config
