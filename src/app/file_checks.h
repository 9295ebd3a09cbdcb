// Whether the files that the settings name can be used: what config/ cannot look at.
#pragma once

#include "config/load.h"

namespace weir::app {

/// What is made of a file that is not there: it may be on the machine where weir will run.
enum class AbsentFile : uint8_t { error, warning };

/// For config::Sources.
[[nodiscard]] config::Inspect file_checks(AbsentFile absent);

}  // namespace weir::app
