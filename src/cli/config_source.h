// Finds and reads the configuration: the impure half of config/load.h.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "config/load.h"

namespace weir::cli {

/// The error is the whole text for stderr: every mistake with its place and the way out. `inspect` looks at
/// the files that the settings name; without it nobody does.
Result<config::Loaded, std::string> load_config(const CommandLine&, config::Inspect inspect = {});

}  // namespace weir::cli
