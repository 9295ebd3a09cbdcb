#include "policy/progress.h"

#include <algorithm>

namespace weir::policy {

Progress::Verdict Progress::sample(Time now, uint64_t moved_bytes, bool owes, const Bounds& bounds) {
    if (!owes || !owes_) {
        window_start_ = moved_at_ = now;
        window_moved_ = moved_ = moved_bytes;
        owes_ = owes;
        return Verdict::fine;
    }
    if (moved_bytes != moved_) {
        moved_ = moved_bytes;
        moved_at_ = now;
    }
    if (now - moved_at_ >= bounds.stall) return Verdict::stalled;
    if (now - window_start_ < kRateWindow) return Verdict::fine;
    auto seconds = std::chrono::duration<double>(now - window_start_).count();
    bool slow = static_cast<double>(moved_bytes - window_moved_) <
                seconds * static_cast<double>(bounds.min_rate_bytes_per_second);
    window_start_ = now;
    window_moved_ = moved_bytes;
    return slow ? Verdict::too_slow : Verdict::fine;
}

Duration sample_period(Duration stall) {
    return std::clamp<Duration>(stall / 8, std::chrono::milliseconds(20), std::chrono::seconds(2));
}

}  // namespace weir::policy
