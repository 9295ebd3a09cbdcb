#include "policy/health_check.h"

#include <algorithm>
#include <cassert>

namespace weir::policy {

namespace {

constexpr int kQuickShare = 5;
constexpr unsigned kMostDoublings = 3;  ///< eight times a fifth is past the interval

/// 0.9 to 1.1 of `gap`.
Duration jittered(Duration gap, uint32_t random) {
    const auto swing = gap.count() / 10;
    const auto offset =
        static_cast<int64_t>(static_cast<double>(random) / 4294967296.0 * 2.0 * static_cast<double>(swing));
    return gap - Duration(swing) + Duration(offset);
}

}  // namespace

std::string_view name_of(CheckResult result) {
    switch (result) {
        case CheckResult::passed: return "passed";
        case CheckResult::no_connection: return "no_connection";
        case CheckResult::timed_out: return "timed_out";
        case CheckResult::broken: return "broken";
        case CheckResult::wrong_status: return "wrong_status";
        case CheckResult::wrong_body: return "wrong_body";
    }
    return {};
}

CheckResult judge(const config::Expect& expect, unsigned status, std::string_view body) {
    const bool is_expected = std::any_of(
        expect.statuses.begin(), expect.statuses.end(),
        [&](const config::StatusRange& range) { return status >= range.low && status <= range.high; });
    if (!is_expected) return CheckResult::wrong_status;
    return body.find(expect.body) == std::string_view::npos ? CheckResult::wrong_body : CheckResult::passed;
}

HealthCheck::HealthCheck(const config::Health& health, Time now, State known)
    : interval_(health.interval),
      quick_(std::min(interval_, std::max<Duration>(interval_ / kQuickShare, kQuickest))),
      rise_(health.rise),
      fall_(health.fall),
      state_(known),
      since_(now),
      begun_(now),
      earliest_(now),
      next_(now) {}

Duration HealthCheck::gap() const {
    if (state_ == State::unknown || against_ > 0) return quick_;
    if (state_ == State::up) return interval_;
    return std::min(interval_, quick_ * (1U << missed_));
}

void HealthCheck::schedule(Time now, uint32_t random) {
    earliest_ = now + kQuickest;
    next_ = std::max(begun_ + jittered(gap(), random), earliest_);
}

void HealthCheck::hurry(Time now) {
    if (!is_under_way()) next_ = std::min(next_, std::max({begun_ + quick_, earliest_, now}));
}

void HealthCheck::begin(Time now) {
    assert(!is_under_way());
    begun_ = now;
    next_ = kNever;
}

void HealthCheck::abandon(Time now, uint32_t random) {
    assert(is_under_way());
    schedule(now, random);
}

bool HealthCheck::enter(State state, Time now) {
    state_ = state;
    since_ = now;
    against_ = 0;
    missed_ = 0;
    return true;
}

bool HealthCheck::conclude(CheckResult result, Time now, uint32_t random) {
    assert(is_under_way());
    const bool passed = result == CheckResult::passed;
    last_ = result;
    const bool speaks_against = passed == (state_ == State::down);
    against_ = speaks_against ? against_ + 1 : 0;
    if (!speaks_against) missed_ = std::min(missed_ + 1, kMostDoublings);
    bool has_changed = false;
    if (passed && state_ == State::unknown) has_changed = enter(State::up, now);
    if (passed && state_ == State::down && against_ >= rise_) has_changed = enter(State::up, now);
    if (!passed && state_ != State::down && against_ >= fall_) has_changed = enter(State::down, now);
    schedule(now, random);
    return has_changed;
}

}  // namespace weir::policy
