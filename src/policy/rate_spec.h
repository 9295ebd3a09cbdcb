// How often, as the operator writes it: `60/min`, `10/s`, `1000/hour`, `5000/day`, `100/15s`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "config/units.h"

namespace weir::policy {

/// `count` in each `window`.
struct RateSpec {
    static constexpr uint64_t kMostCount = 4'294'967'295;
    static constexpr Duration kLeastWindow = std::chrono::milliseconds(100);
    static constexpr Duration kMostWindow = std::chrono::days(31);

    uint32_t count = 1;                         ///< 1 to kMostCount
    Duration window = std::chrono::seconds(1);  ///< kLeastWindow to kMostWindow

    bool operator==(const RateSpec&) const = default;
};

/// A whole number, "/", and `s`, `min`, `hour`, `day` or a duration with its unit.
Result<RateSpec, config::Wrong> parse_rate_spec(std::string_view text);

/// The inverse, for windows of whole milliseconds.
std::string format_rate_spec(const RateSpec&);

}  // namespace weir::policy
