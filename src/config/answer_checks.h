// What contradicts itself in what weir writes into answers: cors, errors, public.
#pragma once

#include "config/findings.h"

namespace weir::config {

void check_answers(Findings& findings);

}  // namespace weir::config
