#include "policy/wait_predictor.h"

#include <algorithm>

namespace weir::policy {

void WaitPredictor::observe(Duration held) {
    held = std::clamp(held, Duration::zero(), kLongest);
    if (seen_ > 0) held = std::min(held, kOutlier * std::max(mean_, kLeastMean));
    seen_ = std::min(seen_ + 1, kWeight);
    mean_ += (held - mean_) / seen_;
}

std::optional<Duration> WaitPredictor::mean() const {
    if (seen_ < kEnough) return std::nullopt;
    return mean_;
}

std::optional<Duration> WaitPredictor::predict(const Backlog& backlog) const {
    if (seen_ < kEnough || backlog.slots == 0 || backlog.per_client_slots == 0) return std::nullopt;
    const double rounds = static_cast<double>(backlog.starts) / backlog.slots;
    const double own_rounds = static_cast<double>(backlog.own_starts) / backlog.per_client_slots;
    const double wait = std::max(rounds, own_rounds) * static_cast<double>(mean_.count());
    const auto longest = static_cast<double>(kLongest.count());
    return Duration(static_cast<Duration::rep>(std::min(wait, longest)));
}

}  // namespace weir::policy
