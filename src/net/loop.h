// One event loop a thread, on libevent's core. The only place that reads the clock for a worker.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/timing_wheel.h"

namespace weir::net {

class Loop;

/// libevent's, as it runs.
[[nodiscard]] const char* library_version();

/// What a callback may condemn though it runs inside it: handed to Loop::retire, it dies after the batch.
class Retirable {
  public:
    virtual ~Retirable() = default;
};

/// Work put off until the current batch of events has been handled: the rest of a large read, the next
/// pipelined request. Embedded in its owner; posting it twice is posting it once; the destructor withdraws
/// it.
class Task {
  public:
    using Run = void (*)(void* owner);
    Task(Loop& loop, Run run, void* owner) : loop_(loop), run_(run), owner_(owner) {}
    ~Task() { withdraw(); }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    void post();
    void withdraw();
    [[nodiscard]] bool posted() const { return prev_ != nullptr; }

  private:
    friend class Loop;
    Task(Loop& loop) : loop_(loop), run_(nullptr), owner_(nullptr) {
        prev_ = next_ = this;
    }  ///< a list's head

    Loop& loop_;
    Run run_;
    void* owner_;
    Task* prev_ = nullptr;
    Task* next_ = nullptr;
};

/// Thread: whichever calls run(); everything else on it belongs to that thread.
class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();  ///< until stop(); may be called again
    void stop() { stopping_ = true; }
    /// Whether the caller is the thread that runs it. Any thread may ask.
    [[nodiscard]] bool is_own_thread() const {
        return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    /// The time, read at most once a batch of events.
    [[nodiscard]] Time now() {
        if (!now_is_fresh_) refresh_now();
        return now_;
    }
    /// The time itself, for limits that must not be a batch's age behind.
    [[nodiscard]] Time fresh_now() {
        refresh_now();
        return now_;
    }
    /// The calendar's time at now(); a step of the system clock is noticed at the next tick.
    [[nodiscard]] WallTime calendar_time() { return WallTime(now().time_since_epoch() + wall_offset_); }
    [[nodiscard]] TimingWheel& timers() { return timers_; }

    void retire(std::unique_ptr<Retirable> condemned) { condemned_.push_back(std::move(condemned)); }

    /// Called about every TimingWheel::kTick while something is armed, and once a second otherwise.
    using OnTick = void (*)(void* owner);
    void set_on_tick(OnTick on_tick, void* owner) { on_tick_ = on_tick, on_tick_owner_ = owner; }

    [[nodiscard]] event_base* base() { return base_.get(); }

  private:
    friend class Task;
    struct FreeBase {
        void operator()(event_base* base) const { event_base_free(base); }
    };
    static void on_tick_event(evutil_socket_t, short, void* loop) noexcept;
    void refresh_now();
    void refresh_wall_offset();
    void run_batch(int flags);
    void run_tasks();
    void tick();
    void catch_up();
    [[nodiscard]] Time time_for_deadlines();
    void set_tick(Duration period);
    void slow_down();

    std::unique_ptr<event_base, FreeBase> base_;
    event tick_event_{};
    Duration tick_period_{0};
    Time next_tick_{};
    Time stood_still_at_{};
    Time grace_until_ = kNever;  ///< kNever: there was no standstill lately
    int idle_ticks_ = 0;
    Time now_{};
    Duration wall_offset_{0};
    bool now_is_fresh_ = false;
    bool tick_is_due_ = false;
    bool stopping_ = false;
    std::atomic<std::thread::id> thread_;  ///< that runs it; none between runs
    OnTick on_tick_ = nullptr;
    void* on_tick_owner_ = nullptr;
    TimingWheel timers_;
    Task tasks_;
    std::vector<std::unique_ptr<Retirable>> condemned_;
};

}  // namespace weir::net
