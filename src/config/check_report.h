// What `weir check` prints.
#pragma once

#include <string>

#include "config/load.h"

namespace weir::config {

/// The effective configuration: every key in the order of the table, each with a comment that says where its
/// value came from. Valid YAML that loads to the same settings.
[[nodiscard]] std::string effective_config(const Loaded& loaded);

}  // namespace weir::config
