#include "proxy/slots.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace weir::proxy {

Slots::Answer Slots::ask(const Scope& scope, const policy::Arrival& arrival, Time now) {
    scope_ = &scope;
    arrival_ = arrival;
    sit_in_shadow();
    return scope.caps.empty() ? Answer::held : follow(ask_next(now), now);
}

/// In those that come before the next cap.
void Slots::sit_in_shadow() {
    const std::vector<ShadowedCap>& caps = scope_->shadow_caps;
    for (; shadowed_ < caps.size() && caps[shadowed_].behind <= held_; ++shadowed_) {
        if (is_past_shadow_) continue;
        seats_[shadowed_] = caps[shadowed_].gate->shadow->enter();
        if (seats_[shadowed_]) continue;
        shadow_refusals_.set(shadowed_);
        is_past_shadow_ = true;
        seats_ = {};
    }
}

policy::Verdict Slots::ask_next(Time now) {
    const Cap& cap = scope_->caps[held_];
    policy::Arrival arrival = arrival_;
    arrival.deadline = std::min(arrival.deadline, now + cap.wait);
    return cap.gate->group->acquire(place_, arrival, now);
}

Slots::Answer Slots::claim(Time now) { return follow(scope_->caps[held_].gate->group->claim(place_), now); }

Slots::Answer Slots::expire(Time now) {
    policy::Verdict verdict = scope_->caps[held_].gate->group->expire(place_, now);
    // An answer that came in the same batch has left a note, and this is that answer.
    if (!std::holds_alternative<policy::Waiting>(verdict)) note_.withdraw();
    return follow(std::move(verdict), now);
}

Slots::Answer Slots::follow(policy::Verdict verdict, Time now) {
    while (auto* permit = std::get_if<policy::Permit>(&verdict)) {
        permits_[held_++] = std::move(*permit);
        sit_in_shadow();
        if (held_ == scope_->caps.size()) return Answer::held;
        verdict = ask_next(now);
    }
    if (const auto* waiting = std::get_if<policy::Waiting>(&verdict)) {
        until_ = waiting->until;
        return Answer::waiting;
    }
    refused_ = {.by = scope_->caps[held_].gate, .with = std::get<policy::Refusal>(verdict)};
    abandon(now);
    return Answer::refused;
}

void Slots::count_from(Time now) {
    for (policy::Permit& permit : permits_) permit.count_from(now);
}

void Slots::settle(Time now) {
    for (policy::Permit& permit : permits_) permit.settle(now);
    seats_ = {};
}

void Slots::abandon(Time now) {
    if (place_.is_taken()) {
        scope_->caps[held_].gate->group->leave(place_, now);
        note_.withdraw();
    }
    for (policy::Permit& permit : permits_) permit.abandon(now);
    seats_ = {};
}

}  // namespace weir::proxy
