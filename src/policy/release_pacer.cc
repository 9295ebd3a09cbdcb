#include "policy/release_pacer.h"

#include <algorithm>

namespace weir::policy {

void ReleasePacer::enter(State state) {
    state_ = state;
    ++era_;
    running_ = 0;
    room_ = 1;
}

void ReleasePacer::close(Time now) {
    if (state_ == State::closed) return;
    enter(State::closed);
    pause_ = kFirstPause;
    next_try_ = now + pause_;
}

void ReleasePacer::open() {
    if (state_ != State::open) enter(State::open);
}

void ReleasePacer::hurry(Time now) {
    if (state_ == State::closed) next_try_ = std::min(next_try_, now);
}

Time ReleasePacer::next() const {
    if (state_ == State::open) return Time::min();
    if (running_ >= room_) return kNever;
    return state_ == State::closed ? next_try_ : Time::min();
}

ReleasePacer::Ticket ReleasePacer::let_go() {
    ++running_;
    return era_;
}

void ReleasePacer::answered(Ticket ticket, uint64_t held) {
    if (ticket != era_ || state_ == State::open) return;
    --running_;
    ++room_;
    state_ = State::opening;
    if (held == 0) open();
}

void ReleasePacer::failed(Ticket ticket, Time now) {
    if (state_ == State::open) return close(now);
    if (ticket != era_) return;
    if (state_ == State::opening) return close(now);
    --running_;
    pause_ = std::min(pause_ * 2, kLongestPause);
    next_try_ = now + pause_;
}

void ReleasePacer::left(Ticket ticket) {
    if (ticket == era_ && state_ != State::open) --running_;
}

}  // namespace weir::policy
