// The sample app's page: what the demo shows, and a script that shows it live.
#pragma once

#include <string_view>

namespace weir::demo {

/// HTML in UTF-8 that refers to nothing outside of it.
[[nodiscard]] std::string_view page();

}  // namespace weir::demo
