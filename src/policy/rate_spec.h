// How often: so many in each window of so long.
#pragma once

#include <cstdint>

#include "base/clock.h"

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

}  // namespace weir::policy
