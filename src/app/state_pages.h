// What the admin address says of the state of things, in JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/overview.h"

namespace weir::app {

/// Whether requests should be sent here: not draining, and a server up as far as is known.
[[nodiscard]] bool is_ready(const Overview& overview);

/// "ok", "draining" or "unavailable".
[[nodiscard]] std::string_view status_of(const Overview& overview);
/// "up" or "down"; "unknown" where no server is asked.
[[nodiscard]] std::string_view upstream_state(const Overview& overview);
/// Whole ones.
[[nodiscard]] int64_t uptime_seconds(const Overview& overview, Time now);

/// `status`, `upstream`, `version`, `uptime` in seconds.
[[nodiscard]] std::string health_json(const Overview& overview, Time now);

/// A member for each cap, by its name, with what is inside and what waits, and the quantiles of how long its
/// requests waited and the app took, in seconds; null where there was none yet.
[[nodiscard]] std::string stats_json(const Overview& overview);

}  // namespace weir::app
