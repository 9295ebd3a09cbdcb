// A token bucket: `burst` tokens at most, `count` new ones evenly spread over each `window`. Kept as one
// number, the instant at which the bucket will be full again (the generic cell rate algorithm, ITU-T I.371,
// annex A).
//
// Let L be the count, W the window, B the burst. A token comes back every W / L nanoseconds, seldom a whole
// number; so time is counted in ticks of 1 / L nanosecond. Then now is now * L ticks and a token is W ticks,
// both whole: nothing is ever rounded, and nothing drifts. With F the tick at which the bucket will be full,
//
//     a request of cost c is admitted where   max(F, now * L) + c * W  <=  now * L + B * W
//     and then                                F := max(F, now * L) + c * W.
//
// While it is refused now * L < F, so it is admitted from the first whole nanosecond t with
// t * L >= F - (B - c) * W. Sizes: L and B are below 2^32, W below 2^52 and times below 2^63, so every term
// is below 2^96, and 128 bits hold it.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "policy/quota.h"
#include "policy/rate_spec.h"

namespace weir::policy {

/// The arithmetic of one rule; each key's state is a Cell, kept elsewhere. Times are not negative.
class TokenBucket {
  public:
    __extension__ using Ticks = __int128;

    /// All zero: full.
    struct Cell {
        Ticks full_at;
    };

    TokenBucket(const RateSpec& refill, uint32_t burst);

    [[nodiscard]] uint32_t limit() const { return burst_; }
    void settle(Cell&, Time) const {}
    /// As in window.h; no later than a nanosecond before kNever where the cost is within the burst.
    [[nodiscard]] Time admit_at(const Cell&, Time now, uint32_t cost) const;
    /// Only where admit_at(now, cost) is now.
    void charge(Cell&, Time now, uint32_t cost) const;
    /// Tokens that are missing, the one that is on its way included.
    [[nodiscard]] uint32_t used(const Cell&, Time now) const;
    [[nodiscard]] Quota quota(const Cell&, Time now) const;
    /// Raises `upper` until it is at every instant as empty as `other`, or emptier.
    void cover(Cell& upper, const Cell& other, Time now) const;

  private:
    [[nodiscard]] Ticks ticks(Time time) const { return Ticks{time.time_since_epoch().count()} * count_; }
    [[nodiscard]] Ticks ticks_of_tokens(uint32_t tokens) const { return Ticks{window_} * tokens; }
    [[nodiscard]] Time first_time_at(Ticks) const;

    uint32_t count_;
    uint32_t burst_;
    Time::rep window_;
};

}  // namespace weir::policy
