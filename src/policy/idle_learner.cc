#include "policy/idle_learner.h"

#include <algorithm>

namespace weir::policy {

namespace {

constexpr Duration kMostMargin = std::chrono::seconds(1);
constexpr Duration kLeastMargin = std::chrono::milliseconds(100);

/// The longest that is still alike.
Duration alike(Duration shorter) { return shorter + shorter / 2; }

Duration margin_of(Duration time) {
    return std::min(std::clamp(time / 5, kLeastMargin, kMostMargin), time / 2);
}

}  // namespace

void IdleLearner::closed(Duration idle, Time now) {
    end_event(now);
    if (idle < kHardlyIdle) return;
    if (!event_) {
        event_ = Event{now, idle, idle};
    } else {
        event_->shortest = std::min(event_->shortest, idle);
        event_->longest = std::max(event_->longest, idle);
    }
}

void IdleLearner::end_event(Time now) {
    if (!event_ || now - event_->at < kEvent) return;
    if (event_->longest <= alike(event_->shortest)) learn(event_->shortest, event_->at);
    event_.reset();
}

void IdleLearner::learn(Duration idle, Time now) {
    samples_[next_++ % kSamples] = idle;
    const bool confirms = believed_ && idle <= alike(*believed_) && *believed_ <= alike(idle);
    if (confirms) {
        believed_ = std::min(*believed_, idle);
        confirmed_at_ = now;
    }
    std::array<Duration, kSamples> sorted = samples_;
    std::sort(sorted.begin(), sorted.end());
    for (size_t first = 0; first + kEnough <= kSamples; ++first) {
        if (sorted[first] == Duration::zero() || sorted[first + kEnough - 1] > alike(sorted[first])) continue;
        believed_ = sorted[first];
        confirmed_at_ = now;
        return;
    }
}

void IdleLearner::reused(Duration idle) {
    if (idle < kHardlyIdle) return;
    for (Duration& sample : samples_)
        if (alike(sample) < idle) sample = {};
    if (event_ && alike(event_->longest) < idle) event_.reset();
    if (believed_ && alike(*believed_) < idle) believed_.reset();
}

std::optional<Duration> IdleLearner::limit(Time now) {
    end_event(now);
    if (!believed_) return std::nullopt;
    Duration time = *believed_;
    for (Duration unconfirmed = now - confirmed_at_; unconfirmed >= kTrust; unconfirmed -= kTrust) {
        time *= 2;
        if (time > kLongest) {
            believed_.reset();
            samples_ = {};
            return std::nullopt;
        }
    }
    return time - margin_of(time);
}

}  // namespace weir::policy
