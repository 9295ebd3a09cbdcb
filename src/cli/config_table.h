// The keys of the configuration as a table, for README.md.
#pragma once

#include <string>

namespace weir::cli {

/// Markdown: one row for each row of the field table, with its default, what it may be, and what it is for.
[[nodiscard]] std::string config_table();

}  // namespace weir::cli
