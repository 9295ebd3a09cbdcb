// What of a limit is left to one key: what the RateLimit fields and `weir explain` show.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace weir::policy {

struct Quota {
    uint32_t limit = 0;      ///< the most that can be spent at once
    uint32_t remaining = 0;  ///< that may be spent now
    Duration next{};         ///< until more than `remaining` may be spent; zero where nothing is spent
};

}  // namespace weir::policy
