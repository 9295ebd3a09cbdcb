// The only place, beside net/loop, that may read a clock. Everything that decides takes `now` as an argument.
#pragma once

#include <chrono>

namespace weir {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<Clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// Later than any deadline: "none is set".
inline constexpr Time kNever = Time::max();

[[nodiscard]] inline Time monotonic_now() { return std::chrono::time_point_cast<Duration>(Clock::now()); }
[[nodiscard]] inline WallTime wall_now() {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace weir
