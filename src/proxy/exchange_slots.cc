// How an exchange comes by the slots of the app that the caps want it to hold, and what becomes of them.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "proxy/abandoned.h"
#include "proxy/exchange.h"
#include "proxy/kit.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

namespace {

http::Reason reason_of(policy::QueueReason reason) {
    switch (reason) {
        case policy::QueueReason::queue_full: return http::Reason::queue_full;
        case policy::QueueReason::queue_timeout: return http::Reason::queue_timeout;
        case policy::QueueReason::predicted_wait: return http::Reason::predicted_wait;
    }
    return http::Reason::queue_full;
}

std::string_view detail_of(policy::QueueReason reason) {
    switch (reason) {
        case policy::QueueReason::queue_full: return "the app is busy and the queue before it is full";
        case policy::QueueReason::queue_timeout: return "the app was busy for as long as this may wait";
        case policy::QueueReason::predicted_wait:
            return "the app is busy, and its queue longer than this may wait";
    }
    return "";
}

}  // namespace

/// As much of the request is here as is waited for.
void Exchange::hold_enough() {
    enter(Event::request_held);
    if (scope_->caps.empty() && scope_->shadow_caps.empty()) return ask_app();
    Time now = kit_.loop.now();
    phase_started_ = now;
    slots_.emplace(
        kit_.remote_tasks,
        [](void* self) {
            auto& exchange = *static_cast<Exchange*>(self);
            exchange.follow(exchange.slots_->claim(exchange.kit_.loop.now()));
        },
        this);
    if (is_refused_in_shadow()) slots_->pass_shadow();
    Slots::Answer answer = slots_->ask(
        *scope_, {.client = *client_key_, .bytes = upload_.memory(), .deadline = started_ + total_}, now);
    if (answer != Slots::Answer::waiting) return follow(answer);
    note_shadow_caps();
    record_.queue = Duration::zero();
    // A place is too scarce for one who may be gone: no further edge would tell.
    if (client_.has_ended()) return leave_queue();
    arm_deadline(now);
}

void Exchange::leave_queue() {
    record_.status = 499;
    give_up("client_gone");
}

/// By the rates that are in shadow with the limits around them, as the caps are.
bool Exchange::is_refused_in_shadow() const {
    for (size_t index = 0; index < scope_->shadowed_together; ++index)
        if (record_.shadow_refusals.test(index)) return true;
    return false;
}

void Exchange::note_shadow_caps() {
    for (size_t index = 0; index < scope_->shadow_caps.size(); ++index)
        if (slots_->would_refuse(index)) record_.shadow_refusals.set(scope_->shadowed.size() + index);
    record_.shadow_names = scope_->shadow_names;
}

void Exchange::follow(Slots::Answer answer) {
    note_shadow_caps();
    switch (answer) {
        case Slots::Answer::held: return ask_app();
        case Slots::Answer::waiting: return arm_deadline(kit_.loop.now());
        case Slots::Answer::refused: return refuse_for_lack_of_room();
    }
}

void Exchange::refuse_for_lack_of_room() {
    const Slots::Refused& refused = slots_->refusal();
    Duration wait = refused.with.retry_after;
    reply({.reason = reason_of(refused.with.reason),
           .detail = detail_of(refused.with.reason),
           .rule = refused.by->name,
           .retry_after = wait > Duration::zero() ? std::optional(wait) : std::nullopt});
}

void Exchange::ask_app() {
    plan_->fleet->budget().note_request(kit_.worker, kit_.loop.now());
    add_times();
    upload_.seal(announced_);
    enter(Event::slots_held);
    // Another method's request must not be sent into a connection that the app has just closed: it could not
    // be repeated.
    want_ = http::is_idempotent(method_) ? UpstreamPool::Want::any : UpstreamPool::Want::any_checked;
    connect();
}

int64_t Exchange::milliseconds_left() const {
    Duration left = total_ - since_start(kit_.loop.now());
    return std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
}

/// When the request arrived, and how long it may still take: for an app that would rather not begin what
/// nobody will wait for.
void Exchange::add_times() {
    constexpr std::string_view kStart = "X-Request-Start: t=";
    constexpr std::string_view kDeadline = "X-Request-Deadline: ";
    std::array<char, Upload::kMaxOwnLines / 2> line;
    auto write = [&](std::string_view name, int64_t value) {
        char* end = line.data() + name.copy(line.data(), name.size());
        return std::string_view(line.data(), std::to_chars(end, line.data() + line.size(), value).ptr);
    };
    if (plan_->settings.headers.request_start) {
        auto arrival = std::chrono::duration_cast<std::chrono::microseconds>(record_.time.time_since_epoch());
        upload_.add_line(write(kStart, arrival.count()));
    }
    if (plan_->settings.headers.deadline) {
        std::string_view text = write(kDeadline, milliseconds_left());
        deadline_digits_ = text.size() - kDeadline.size();
        deadline_at_ = upload_.add_line(text, deadline_digits_);
    }
}

/// Before another try: less is left than there was. White space behind a value is no part of it.
void Exchange::refresh_deadline() {
    if (deadline_digits_ == 0) return;
    std::array<char, 24> text;
    text.fill(' ');
    std::to_chars(text.data(), text.data() + text.size(), milliseconds_left());
    upload_.rewrite(deadline_at_, {text.data(), deadline_digits_});
}

/// Under a cap, on a request whose client has left.
bool Exchange::app_is_at_work(State before) const {
    return before == State::awaiting && upload_.all_sent() && slots_ && !scope_->caps.empty();
}

void Exchange::leave_to_app() {
    kit_.abandoned->keep({.plan = plan_,
                          .leased = {.visit = std::move(visit_), .lease = std::move(lease_)},
                          .permits = slots_->hand_over()},
                         started_ + total_);
}

/// The state that is entered holds none. Where the app was at work, for how long says how long it takes.
void Exchange::let_slots_go(State before, Event event) {
    Time now = kit_.loop.now();
    const bool app_was_at_work = before == State::awaiting || before == State::streaming;
    if (app_was_at_work && event != Event::client_gone) {
        slots_->settle(now);
    } else {
        slots_->abandon(now);
    }
}

}  // namespace weir::proxy
