// How an exchange waits for an app that cannot be reached.
#include <utility>

#include "proxy/exchange.h"
#include "proxy/kit.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

/// Nothing was sent to anybody, so there is nothing that could be done twice.
bool Exchange::may_hold(const Error& error) const {
    if (error.is_lasting || state_ != State::connecting || plan_->settings.upstream.hold == Duration::zero())
        return false;
    return error.reason == http::Reason::upstream_unavailable ||
           (error.reason == http::Reason::upstream_connect && error.retry == Retry::always);
}

/// `why`: what the try came to; nullptr: others are known to wait already.
void Exchange::hold_for_app(const Error* why) {
    Time now = kit_.loop.now();
    if (why != nullptr) {
        kit_.hold->lost(std::exchange(ticket_, std::nullopt), now);
        unreachable_error_ = why->system_error;
    }
    if (held_since_ == Time{}) held_since_ = now;
    attempts_ = 0;
    tried_.reset();
    enter(Event::unreachable);
    if (!held_)
        held_.emplace([](void* self,
                         HeldPlace::Answer answer) { static_cast<Exchange*>(self)->on_hold_answer(answer); },
                      this);
    const bool is_over = now - held_since_ >= plan_->settings.upstream.hold;
    if (is_over || !kit_.hold->join(*held_, *client_key_, upload_.memory())) return refuse_unavailable();
    if (client_.has_ended()) return leave_queue();
    arm_deadline(now);
}

void Exchange::on_hold_answer(HeldPlace::Answer answer) {
    switch (answer) {
        case HeldPlace::Answer::released:
            ticket_ = kit_.hold->ticket();
            if (slots_) slots_->count_from(kit_.loop.now());
            enter(Event::released);
            return connect();
        case HeldPlace::Answer::turned_away: return refuse_unavailable();
    }
}

void Exchange::refuse_unavailable() {
    const bool is_found_down = unreachable_error_ == 0 && plan_->fleet->is_down();
    reply({.reason = http::Reason::upstream_unavailable,
           .detail = is_found_down ? "the app fails its health checks" : "the app cannot be reached",
           .system_error = unreachable_error_});
}

/// The only server has just cut off a request: an app that is dying cuts off those that follow, too.
void Exchange::pause_before_repeat() {
    constexpr Duration kPause = std::chrono::milliseconds(100);
    paused_until_ = kit_.loop.now() + kPause;
    enter(Event::unreachable);
    arm_deadline(kit_.loop.now());
}

void Exchange::end_pause() {
    paused_until_ = kNever;
    enter(Event::released);
    connect();
}

void Exchange::leave_hold() {
    if (held_since_ == Time{}) return;
    record_.hold = kit_.loop.now() - held_since_;
    if (held_) kit_.hold->leave(*held_);
}

/// It says nothing of the app any more.
void Exchange::let_hold_go() { kit_.hold->left(*std::exchange(ticket_, std::nullopt)); }

}  // namespace weir::proxy
