// For what would be told of again and again: one line of the log stands for many.
#pragma once

#include "base/clock.h"

namespace weir {

/// Thread: its owner's.
class Seldom {
  public:
    explicit Seldom(Duration period) : period_(period) {}

    /// Whether it is to be told of now: the first time, and not again before `period` has passed.
    [[nodiscard]] bool is_due(Time now) {
        if (now < next_) return false;
        next_ = now + period_;
        return true;
    }

  private:
    Duration period_;
    Time next_ = Time::min();
};

}  // namespace weir
