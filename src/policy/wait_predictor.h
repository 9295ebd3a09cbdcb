// How long a place in the queue will have to wait, from how long requests have taken so far.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace weir::policy {

/// What stands before a request that would begin to wait now.
struct Backlog {
    uint64_t starts = 0;      ///< this many have to be started, itself the last of them
    uint32_t slots = 0;       ///< over which all of them are spread
    uint64_t own_starts = 0;  ///< of those, its own client's that have to wait for one of its own to end
    uint32_t per_client_slots = 0;  ///< over which those are spread
};

/// Learns the mean time that a slot is held, as an exponentially weighted mean over completions: the k-th
/// weighs 1/k up to the 128th, from then on 1/128, so that after a change 63 % of the way is made within 128
/// completions. The mean, not a median: it alone says how soon a mix of fast and slow requests hands on
/// slots.
///
/// A single sample counts as at most 32 times the mean, which one sample thus lifts by at most a quarter: one
/// report of half a minute among pages of milliseconds is no reason to refuse anybody. Slow requests that
/// make up 1/32 or more are counted in full; extreme and rarer ones for less than they are, and the
/// prediction is then too hopeful, which costs a wait and refuses nobody.
///
/// Error: of a queue whose requests take equally long, and from which nobody leaves, the prediction is too
/// long by at most two service times: one because slots may become free together instead of one by one, one
/// because of what ahead_of_next() leaves out. Thread: any, one at a time.
class WaitPredictor {
  public:
    static constexpr int64_t kWeight = 128;
    static constexpr int64_t kOutlier = 32;
    static constexpr Duration kLeastMean = std::chrono::milliseconds(1);  ///< for what counts as an outlier
    static constexpr int64_t kEnough = 8;  ///< completions before which nothing is known
    static constexpr Duration kLongest = std::chrono::hours(1);

    void observe(Duration held);
    /// nullopt: too little is known.
    [[nodiscard]] std::optional<Duration> mean() const;
    /// At most kLongest. nullopt: too little is known, or there are no slots.
    [[nodiscard]] std::optional<Duration> predict(const Backlog&) const;

  private:
    Duration mean_{};
    int64_t seen_ = 0;  ///< up to kWeight
};

}  // namespace weir::policy
