// Is a transfer still alive, and fast enough? Pure: bytes and times in, a verdict out.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace weir::policy {

/// Watches one side of a transfer through samples of how many bytes it has moved so far. Samples may be far
/// apart: kernel buffers make progress lumpy, so what counts is what the peer has acknowledged, not what a
/// write accepted.
class Progress {
  public:
    /// Time over which a rate is judged, and for which nobody is judged at all at first.
    static constexpr Duration kRateWindow = std::chrono::seconds(10);

    enum class Verdict : uint8_t { fine, stalled, too_slow };
    struct Bounds {
        Duration stall{};                        ///< silence that is too long
        uint64_t min_rate_bytes_per_second = 0;  ///< 0: no floor
    };

    /// `owes`: this side is the one that everything waits for; otherwise its clocks stand at zero.
    Verdict sample(Time now, uint64_t moved_bytes, bool owes, const Bounds&);

  private:
    bool owes_ = false;
    uint64_t moved_ = 0;
    Time moved_at_{};
    uint64_t window_moved_ = 0;
    Time window_start_{};
};

/// How often to sample so that a stall is told at most an eighth late.
[[nodiscard]] Duration sample_period(Duration stall);

}  // namespace weir::policy
