// Deadlines for many thousands of connections at O(1) each: one hashed timing wheel a worker (Varghese and
// Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 6), with lazy re-arming.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace weir {

class TimingWheel;

/// One deadline, embedded in the object it belongs to. It is late by at most one tick and never early.
/// Moving the deadline later costs a store: the timer stays in its slot and is looked at again when that slot
/// comes round. Moving it earlier relinks it. The destructor disarms. Not copyable, not movable: the wheel
/// points at it.
class Timer {
  public:
    using Expired = void (*)(void* owner, Time now);

    Timer(TimingWheel& wheel, Expired expired, void* owner)
        : wheel_(wheel), expired_(expired), owner_(owner) {}
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Calls `expired(owner, now)` once, in the first TimingWheel::advance at or after `deadline`; kNever
    /// disarms. The deadline is kNever again by the time of the call.
    void arm(Time deadline);
    /// As cheap as moving it later: the slot lets go of the timer when it comes round.
    void disarm() { arm(kNever); }
    [[nodiscard]] Time deadline() const { return deadline_; }

  private:
    friend class TimingWheel;
    void unlink();

    TimingWheel& wheel_;
    Expired expired_;
    void* owner_;
    Timer** at_ = nullptr;  ///< the pointer that points at this timer; nullptr: not linked
    Timer* next_ = nullptr;
    Time deadline_ = kNever;
    Time looked_at_ = kNever;  ///< an advance to this time or later looks at it; kNever: in no slot
};

/// Thread: that of the loop it belongs to. Holds no timer's memory.
class TimingWheel {
  public:
    static constexpr Duration kTick = std::chrono::milliseconds(20);
    static constexpr size_t kSlots = 4096;  ///< one round is 82 s; a later deadline is looked at once a round

    explicit TimingWheel(Time start);
    ~TimingWheel();  ///< asserts that no timer is left
    TimingWheel(const TimingWheel&) = delete;
    TimingWheel& operator=(const TimingWheel&) = delete;

    /// Fires every timer whose deadline is at or before `now`, each once, in no particular order; meant to be
    /// called about once a tick. A jump looks at each slot once. A callback may arm, disarm and destroy any
    /// timer, its own included, and must not throw. What it arms fires in the next call at the earliest: no
    /// timer can hold the loop by re-arming itself.
    void advance(Time now) noexcept;
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] size_t size() const { return size_; }  ///< timers armed

  private:
    friend class Timer;
    [[nodiscard]] uint64_t tick_of(Time) const;
    void place(Timer&);
    static void link(Timer&, Timer** at);
    void collect_due(Timer* first, Time now, Timer** due);

    /// Unordered lists. A timer is in the slot of its deadline's tick, modulo kSlots, or in an earlier one.
    std::array<Timer*, kSlots> slots_{};
    Time start_;
    uint64_t tick_ = 0;  ///< that of the last advance; its slot is looked at again by the next one
    size_t size_ = 0;
};

inline void Timer::arm(Time deadline) {
    wheel_.size_ += deadline != kNever;
    wheel_.size_ -= deadline_ != kNever;
    deadline_ = deadline;
    if (deadline < looked_at_) wheel_.place(*this);
}

}  // namespace weir
