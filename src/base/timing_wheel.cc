#include "base/timing_wheel.h"

#include <algorithm>
#include <cassert>

namespace weir {

Timer::~Timer() {
    disarm();
    unlink();
}

void Timer::unlink() {
    if (at_ == nullptr) return;
    *at_ = next_;
    if (next_ != nullptr) next_->at_ = at_;
    at_ = nullptr;
    looked_at_ = kNever;
}

TimingWheel::TimingWheel(Time start) : start_(start) {}

TimingWheel::~TimingWheel() {
    assert(std::all_of(slots_.begin(), slots_.end(), [](const Timer* first) { return first == nullptr; }));
}

uint64_t TimingWheel::tick_of(Time time) const {
    return time <= start_ ? 0 : static_cast<uint64_t>((time - start_) / kTick);
}

void TimingWheel::link(Timer& timer, Timer** at) {
    timer.unlink();
    timer.next_ = *at;
    timer.at_ = at;
    if (*at != nullptr) (*at)->at_ = &timer.next_;
    *at = &timer;
}

void TimingWheel::place(Timer& timer) {
    if (timer.deadline_ == kNever) return timer.unlink();
    const uint64_t tick = std::max(tick_of(timer.deadline_), tick_);
    link(timer, &slots_[tick % kSlots]);
    timer.looked_at_ = start_ + static_cast<int64_t>(tick) * kTick;
}

void TimingWheel::collect_due(Timer* first, Time now, Timer** due) {
    for (Timer* next = nullptr; first != nullptr; first = next) {
        Timer& timer = *first;
        next = timer.next_;
        if (timer.deadline_ > now) {
            place(timer);
        } else {
            link(timer, due);
        }
    }
}

void TimingWheel::advance(Time now) noexcept {
    const uint64_t from = tick_;
    tick_ = std::max(from, tick_of(now));

    // Nothing is called before the walk is over, so no callback can change a list that is being walked.
    Timer* due = nullptr;
    const uint64_t slots_to_look_at = std::min<uint64_t>(tick_ - from + 1, kSlots);
    for (uint64_t i = 0; i < slots_to_look_at; ++i) collect_due(slots_[(from + i) % kSlots], now, &due);

    // A timer that a callback arms leaves `due` for its slot; one that it disarms stays.
    while (due != nullptr) {
        Timer& timer = *due;
        timer.unlink();
        if (timer.deadline_ == kNever) continue;
        timer.disarm();
        timer.expired_(timer.owner_, now);
    }
}

}  // namespace weir
