// The busiest clients of now, in JSON.
#pragma once

#include <string>

#include "app/overview.h"

namespace weir::app {

/// At most this many by each measure.
inline constexpr size_t kBusiestShown = 20;

/// `half_life_seconds`, `key` (what `clients.key` tells clients apart by), and three lists, the busiest
/// first: `by_requests` and `by_refusals` (`per_second`) and `by_time` (`in_app`: requests of it inside the
/// app at once, on average). Each row has the address where the client was last seen and, beside the figure,
/// by how much too high that may be (`error`). Where clients are not told apart by address alone, `key` of a
/// row is a hash of what does it, by a secret of this process: the value of a header or a cookie may be a
/// secret and is never shown.
[[nodiscard]] std::string clients_json(const Overview& overview, Time now);

}  // namespace weir::app
