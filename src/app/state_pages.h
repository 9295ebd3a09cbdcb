// What the admin address says of the state of things, in JSON.
#pragma once

#include <string>

#include "app/overview.h"

namespace weir::app {

/// Whether requests should be sent here: not draining, and a server up as far as is known.
[[nodiscard]] bool is_ready(const Overview& overview);

/// `status` ("ok", "draining", "unavailable"), `upstream` ("up", "down"; "unknown" where no server is asked),
/// `version`, `uptime` in seconds.
[[nodiscard]] std::string health_json(const Overview& overview, Time now);

/// A member for each cap, by its name, with what is inside and what waits, and the quantiles of how long its
/// requests waited and the app took, in seconds; null where there was none yet.
[[nodiscard]] std::string stats_json(const Overview& overview);

}  // namespace weir::app
