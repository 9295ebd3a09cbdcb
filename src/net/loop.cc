#include "net/loop.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

namespace weir::net {

namespace {

event_base* make_base() {
    // Signals and other threads reach a loop through its mailbox, so libevent needs no locks.
    event_config* config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_base* base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == nullptr) throw std::runtime_error("cannot make an event loop: no epoll");
    return base;
}

constexpr Duration kIdleTick = std::chrono::seconds(1);
/// A tick that comes so late was held up by more than work: the machine slept, or the process was stopped.
constexpr Duration kStandstill = std::chrono::milliseconds(100);
/// Behind it: what a peer needs to answer twice, as in a TLS handshake. No longer than the standstill was.
constexpr Duration kLongestGrace = std::chrono::seconds(1);
/// libevent takes 32 events at first and twice as many each time that they fill its room: 8,160 in all.
constexpr int kBatchesToCatchUp = 8;

}  // namespace

const char* library_version() { return event_get_version(); }

void Task::post() {
    if (posted()) return;
    Task& head = loop_.tasks_;
    prev_ = head.prev_;
    next_ = &head;
    prev_->next_ = this;
    head.prev_ = this;
}

void Task::withdraw() {
    if (!posted()) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
}

Loop::Loop() : base_(make_base()), now_(monotonic_now()), timers_(now_), tasks_(*this) {
    event_assign(&tick_event_, base_.get(), -1, EV_PERSIST, &Loop::on_tick_event, this);
    set_tick(kIdleTick);
    refresh_wall_offset();
}

Loop::~Loop() {
    condemned_.clear();
    event_del(&tick_event_);
}

void Loop::set_tick(Duration period) {
    if (period == tick_period_) return;
    tick_period_ = period;
    next_tick_ = monotonic_now() + period;
    auto micros = std::chrono::duration_cast<std::chrono::microseconds>(period).count();
    timeval interval{.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
    event_add(&tick_event_, &interval);
}

void Loop::refresh_now() {
    now_ = monotonic_now();
    now_is_fresh_ = true;
}

void Loop::refresh_wall_offset() {
    wall_offset_ = weir::wall_now().time_since_epoch() - monotonic_now().time_since_epoch();
}

void Loop::run() {
    thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    next_tick_ = monotonic_now() + tick_period_;  // what went before is no standstill
    while (!stopping_) {
        const bool more_to_do = tasks_.next_ != &tasks_;
        run_batch(more_to_do ? EVLOOP_NONBLOCK : 0);
        if (tick_is_due_) tick();
        if (!timers_.empty()) set_tick(TimingWheel::kTick);
    }
    stopping_ = false;
    thread_.store({}, std::memory_order_relaxed);
}

void Loop::run_batch(int flags) {
    now_is_fresh_ = false;
    event_base_loop(base_.get(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | flags);
    run_tasks();
    condemned_.clear();
}

void Loop::run_tasks() {
    if (tasks_.next_ == &tasks_) return;
    // Those posted from now on wait for the next batch, or a busy connection would starve the others.
    Task batch(*this);
    batch.next_ = tasks_.next_;
    batch.prev_ = tasks_.prev_;
    batch.next_->prev_ = batch.prev_->next_ = &batch;
    tasks_.next_ = tasks_.prev_ = &tasks_;
    while (batch.next_ != &batch) {
        Task& task = *batch.next_;
        task.withdraw();
        task.run_(task.owner_);
    }
    batch.prev_ = batch.next_ = nullptr;
}

/// Only after a while without timers: each change of the period puts the next tick off.
void Loop::slow_down() {
    idle_ticks_ = timers_.empty() ? idle_ticks_ + 1 : 0;
    if (idle_ticks_ * TimingWheel::kTick >= kIdleTick) set_tick(kIdleTick);
}

void Loop::on_tick_event(evutil_socket_t, short, void* loop) noexcept {
    static_cast<Loop*>(loop)->tick_is_due_ = true;
}

void Loop::tick() {
    if (const Duration late = now() - next_tick_; late > kStandstill) {
        catch_up();
        // Not again before the deadlines have had their turn: a machine that stutters must not put them off.
        if (grace_until_ == kNever) {
            stood_still_at_ = next_tick_;
            grace_until_ = now() + std::min(late, kLongestGrace);
        }
    }
    tick_is_due_ = false;
    next_tick_ = now() + tick_period_;
    refresh_wall_offset();
    timers_.advance(time_for_deadlines());
    if (on_tick_ != nullptr) on_tick_(on_tick_owner_);
    slow_down();
    condemned_.clear();
}

/// Who was in time, but has to say more than one thing, could say only the first of it: the deadlines that
/// passed in a standstill wait for a little longer.
Time Loop::time_for_deadlines() {
    if (grace_until_ == kNever) return now();
    if (now() < grace_until_) return stood_still_at_;
    grace_until_ = kNever;
    return now();
}

/// What has come during a standstill goes before the deadlines that have passed in it: epoll_wait,
/// interrupted by the same stop, tells of the time alone, and everybody who was in time would be late.
void Loop::catch_up() {
    for (int batches = 0; batches < kBatchesToCatchUp && !stopping_; ++batches) run_batch(EVLOOP_NONBLOCK);
}

}  // namespace weir::net
