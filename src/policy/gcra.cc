#include "policy/gcra.h"

#include <algorithm>

namespace weir::policy {
namespace {

/// Of numbers that are not negative. 128-bit division is a slow call; nearly always 64 bits do.
TokenBucket::Ticks divide(TokenBucket::Ticks dividend, uint64_t divisor) {
    const auto low = static_cast<uint64_t>(dividend);
    if (dividend == TokenBucket::Ticks{low}) return TokenBucket::Ticks{low / divisor};
    return dividend / TokenBucket::Ticks{divisor};
}

TokenBucket::Ticks divide_up(TokenBucket::Ticks dividend, uint64_t divisor) {
    return divide(dividend + TokenBucket::Ticks{divisor - 1}, divisor);
}

}  // namespace

TokenBucket::TokenBucket(const RateSpec& refill, uint32_t burst)
    : count_(refill.count), burst_(burst), window_(refill.window.count()) {}

Time TokenBucket::first_time_at(Ticks tick) const {
    const Ticks latest = (kNever - Duration{1}).time_since_epoch().count();
    return Time{Duration{static_cast<Time::rep>(std::min(divide_up(tick, count_), latest))}};
}

Time TokenBucket::admit_at(const Cell& cell, Time now, uint32_t cost) const {
    if (cost > burst_) return kNever;
    const Ticks tick = cell.full_at - ticks_of_tokens(burst_ - cost);
    return tick <= ticks(now) ? now : first_time_at(tick);
}

void TokenBucket::charge(Cell& cell, Time now, uint32_t cost) const {
    cell.full_at = std::max(cell.full_at, ticks(now)) + ticks_of_tokens(cost);
}

uint32_t TokenBucket::used(const Cell& cell, Time now) const {
    const Ticks missing = std::max(cell.full_at - ticks(now), Ticks{0});
    return static_cast<uint32_t>(divide_up(missing, static_cast<uint64_t>(window_)));
}

Quota TokenBucket::quota(const Cell& cell, Time now) const {
    const uint32_t missing = used(cell, now);
    Quota quota{.limit = burst_, .remaining = burst_ - missing};
    if (missing == 0) return quota;
    quota.next = first_time_at(cell.full_at - ticks_of_tokens(missing - 1)) - now;
    return quota;
}

void TokenBucket::cover(Cell& upper, const Cell& other, Time) const {
    upper.full_at = std::max(upper.full_at, other.full_at);
}

static_assert(sizeof(TokenBucket::Cell) == 16);

}  // namespace weir::policy
