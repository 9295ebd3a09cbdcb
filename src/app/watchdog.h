// Whether weir may tell its service manager that it is well: only while every worker's loop comes round.
#pragma once

#include <algorithm>
#include <span>

#include "base/clock.h"

namespace weir::app {

/// Thread: the control thread's. A loop with nothing to do comes round once a second.
class Watchdog {
  public:
    /// `interval`: after how long a silence the manager takes weir for hung.
    explicit Watchdog(Duration interval)
        : period_(interval / 4), patience_(std::max<Duration>(interval / 2, kLeastPatience)) {}

    /// Whether a sign of life is due, and true. `ticks`: when each worker's loop last came round; kNever of
    /// one that has ended as it should.
    [[nodiscard]] bool should_speak(Time now, std::span<const Time> ticks) {
        const auto is_alive = [&](Time tick) { return tick == kNever || now - tick <= patience_; };
        if (now < next_ || !std::all_of(ticks.begin(), ticks.end(), is_alive)) return false;
        next_ = now + period_;
        return true;
    }

  private:
    static constexpr Duration kLeastPatience = std::chrono::seconds(3);

    Duration period_;
    Duration patience_;
    Time next_ = Time::min();
};

}  // namespace weir::app
