// What the page for the operator draws, in JSON: counts since the start, of which it shows what they grew by.
#pragma once

#include <string>

#include "app/overview.h"

namespace weir::app {

/// - `status`, `upstream`, `version` and `uptime` as health_json has them, always with 200.
/// - `requests`: `ended`, `in_progress`, and `by_status` with a count for each class ("2xx"); 499 stands
///   under "4xx".
/// - `refused`: a count for each reason that there was; `refused_in_shadow`: how often a rule would have.
/// - `durations`: `bounds` of the buckets in seconds, and for `request`, `queue` and `app` how many lie in
///   each, the last of them without a bound.
/// - `servers`: each with `state` ("up", "down", or "left_out" for one that failed requests) and `in_flight`.
/// - `clients` (`connections`, `most`) and `memory` (`held_bytes`, `most_bytes`).
[[nodiscard]] std::string summary_json(const Overview& overview, Time now);

/// The limits that hold: `global`, then `routes` with what each adds, then `shadow`. Quantities are written
/// as in the configuration.
[[nodiscard]] std::string limits_json(const config::Settings& settings);

}  // namespace weir::app
