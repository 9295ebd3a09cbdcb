// When pages of the admin address may be made: together, and so seldom that whoever asks for them, however
// many and however often, leaves the processor to the workers.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace weir::app {

/// A round answers all who wait. Behind it comes a rest in proportion to what it took, so that rounds have
/// about a twentieth of one processor. Thread: one.
class RoundPace {
  public:
    static constexpr int kRest = 19;  ///< times what the round took
    static constexpr Duration kLongestRest = std::chrono::seconds(1);

    /// From when on the next round may begin.
    [[nodiscard]] Time next() const { return next_; }
    void end_round(Time began, Time ended) {
        next_ = ended + std::min<Duration>(kRest * (ended - began), kLongestRest);
    }

  private:
    Time next_ = Time::min();
};

}  // namespace weir::app
