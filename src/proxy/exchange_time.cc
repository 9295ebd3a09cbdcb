// The clocks of an exchange: the total deadline, the connect timeout, silence and slowness.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/kit.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

namespace {
/// Of a client, where nothing else is said.
constexpr Duration kClientStall = std::chrono::seconds(30);
}  // namespace

Duration Exchange::since_start(Time now) const { return now - started_; }

Time Exchange::hold_until() const {
    return held_since_ == Time{} ? kNever : held_since_ + plan_->settings.upstream.hold;
}

void Exchange::arm_deadline(Time now) {
    const config::Timeout& bounds = plan_->settings.timeout;
    if (state_ == State::tunnel) return client_.set_deadline(now + policy::sample_period(bounds.tunnel));
    Time next = std::min(started_ + total_, now + policy::sample_period(bounds.stall.value_or(kClientStall)));
    if (state_ == State::waiting) next = std::min(next, slots_->until());
    if (state_ == State::holding) next = std::min({next, paused_until_, hold_until()});
    if (state_ == State::connecting) next = std::min(next, phase_started_ + bounds.connect);
    client_.set_deadline(next);
}

void Exchange::on_deadline(Time now) {
    if (state_ == State::closed) return;
    const config::Timeout& bounds = plan_->settings.timeout;
    bool overdue = state_ != State::tunnel && since_start(now) >= total_;
    if (state_ == State::waiting && now >= slots_->until()) {
        follow(slots_->expire(now));
    } else if (state_ == State::holding && now >= paused_until_) {
        end_pause();
    } else if (state_ == State::holding && now >= hold_until()) {
        refuse_unavailable();
    } else if (overdue && head_sent_) {
        give_up("deadline");
    } else if (overdue && client_owes()) {
        fail({.reason = http::Reason::body_timeout, .detail = "the request body did not arrive in time"});
    } else if (overdue) {
        fail({.reason = http::Reason::deadline, .detail = "the app did not answer within the total time"});
    } else if (state_ == State::connecting && now - phase_started_ >= bounds.connect) {
        on_connect_late(now);
    } else {
        sample_progress(now);
    }
    if (state_ != State::closed) arm_deadline(now);
}

void Exchange::on_connect_late(Time now) {
    if (lease_->is_waiting()) {
        phase_started_ = now;
        return lease_->pool().go_ahead(*lease_);
    }
    fail(
        {.reason = http::Reason::upstream_connect, .retry = Retry::always, .detail = lease_->what_is_late()});
}

/// Whoever everything waits for: the client, where bytes wait for it or more of the body is needed.
bool Exchange::client_owes() const {
    switch (state_) {
        case State::receiving: return true;
        case State::waiting:
        case State::holding:
        case State::connecting: return false;
        case State::awaiting: return !upload_.ended() && upload_.waiting_bytes() == 0;
        case State::streaming:
        case State::replying: return client_.queued_bytes() > 0;
        case State::tunnel:
        case State::closed: return false;
    }
    return false;
}

void Exchange::sample_progress(Time now) {
    using Verdict = policy::Progress::Verdict;
    const config::Settings& settings = plan_->settings;
    if (state_ == State::tunnel) {
        policy::Progress::Bounds silence{.stall = settings.timeout.tunnel};
        uint64_t moved = tunnel_->bytes_to_client() + tunnel_->bytes_to_upstream();
        if (client_progress_.sample(now, moved, true, silence) == Verdict::fine) return;
        record_.cut = "tunnel_idle";
        return enter(Event::tunnel_end);
    }
    bool client_is_waited_for = client_owes();
    policy::Progress::Bounds bounds{.stall = settings.timeout.stall.value_or(kClientStall),
                                    .min_rate_bytes_per_second = settings.limits.min_rate_bytes_per_second};
    auto client = client_progress_.sample(now, client_.moved_bytes(), client_is_waited_for, bounds);
    bounds = {.stall = settings.timeout.stall.value_or(total_)};
    auto app = Verdict::fine;
    if (lease_) app = upstream_progress_.sample(now, lease_->moved_bytes(), !client_is_waited_for, bounds);
    if (client != Verdict::fine) {
        if (head_sent_) return give_up(client == Verdict::stalled ? "client_stalled" : "client_too_slow");
        fail({.reason = http::Reason::body_timeout, .detail = "the request body came too slowly"});
    } else if (app != Verdict::fine) {
        fail({.reason = http::Reason::upstream_stall, .detail = "the app was silent for too long"});
    }
}

void Exchange::give_up(std::string_view why) {
    record_.cut = why;
    client_.abort();
    enter(Event::client_gone);
}

}  // namespace weir::proxy
