// What `weir version` prints.
#pragma once

#include <string>

namespace weir::app {

inline constexpr const char* kVersion = WEIR_VERSION;
/// Version, build and libraries, a line each.
std::string version_text();

}  // namespace weir::app
