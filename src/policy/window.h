// A sliding window that never admits more than N in any W, and never refuses a client that stays 1/32 below.
//
// How. Each key has a grid of instants that lie step = ceil(W / (kSlots - 1)) apart. What is admitted at time
// e is charged to the first instant c of the grid that is not before e, and stays charged until c + W. A
// request is admitted where all that is charged and its own cost together do not exceed N. While nothing is
// charged the grid belongs to nobody, and the next charge shifts it so that it begins there. Times are whole
// nanoseconds, so e <= c <= e + step - 1, and the life of a charge is known to within a step:
//
//     (1)   W  <=  c + W - e  <=  W + step - 1  <  W + W / (kSlots - 1)
//
// Never more than N in any W. Let [x, x + W) be any window and t the last admission in it. Every other one in
// it was admitted at an e > t - W, and by (1) was still charged at t. So the admission at t counted them all.
//
// Never refuses an even sender. By (1), with at least 32 slots, a charge is gone after less than W * 32/31.
// "Evenly at 1/32 below the limit" is a rate of 31/32 of N in W: requests of cost 1 at the instants a + k * d
// for any a and any d >= W/N * 32/31, exact or rounded down to nanoseconds. When one of them arrives, the Nth
// before it is at least floor(N * d) old. W + step - 1 is a whole number below W * 32/31, which is at most
// N * d, so it is at most floor(N * d). Thus the Nth before it is gone, at most N - 1 are left, and the
// request is admitted. Nothing was asked of N but N >= 1. More generally, nobody is refused who sends at most
// N in any span of W * 32/31, however unevenly.
//
// No more than kSlots instants hold charges. At time t the oldest lies after t - W and the newest before
// t + step; less than W + step lies between them, and W <= (kSlots - 1) * step. One ring of kSlots counters
// therefore always has room, and no counter overflows: none exceeds N.
//
// Retry-After. Charges go at known instants and nothing else changes a cell, so the first instant at which
// enough of the oldest have gone is exact to the nanosecond.
//
// Small limits have small counters, and so more of them in the same space: a finer grid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/clock.h"
#include "policy/quota.h"
#include "policy/rate_spec.h"

namespace weir::policy {

/// The arithmetic of one rule; each key's state is a Cell, kept elsewhere. Constant time, no allocation.
/// Before it asks anything of a cell, the caller settles it to the time it asks about.
template <class Count, size_t kSlots>
class SlidingWindow {
  public:
    static_assert(kSlots >= 32 && kSlots < 256);
    static constexpr uint32_t kMostLimit = std::numeric_limits<Count>::max();

    /// All zero: nothing is charged.
    struct Cell {
        std::array<Count, kSlots> counts;  ///< a ring; zero where it is not live
        Time::rep head;                    ///< the newest grid instant
        uint32_t used;                     ///< the sum of the counts
        uint8_t newest;                    ///< the index of the head's count
        uint8_t live;                      ///< from the newest back to the oldest that is still charged
    };

    /// `spec.count` must not exceed kMostLimit.
    explicit SlidingWindow(const RateSpec& spec);

    [[nodiscard]] uint32_t limit() const { return limit_; }
    /// Forgets what is gone by `now`. Changes no answer.
    void settle(Cell&, Time now) const;
    /// `now` where a request of this cost (at least 1) is admitted now, else the first instant at which it is
    /// if nothing happens in between; kNever where the cost is above the limit.
    [[nodiscard]] Time admit_at(const Cell&, Time now, uint32_t cost) const;
    /// Only where admit_at(now, cost) is now.
    void charge(Cell&, Time now, uint32_t cost) const;
    [[nodiscard]] uint32_t used(const Cell& cell, Time) const { return cell.used; }
    [[nodiscard]] Quota quota(const Cell&, Time now) const;
    /// Raises `upper` until it is charged with at least what `other` is, at every instant from now to now +
    /// W: from then on nothing that was admitted by now counts. Both are settled.
    void cover(Cell& upper, const Cell& other, Time now) const;

  private:
    static Count& count_at(Cell& cell, size_t age) { return cell.counts[(cell.newest - age) % kSlots]; }
    static Count count_at(const Cell& cell, size_t age) { return cell.counts[(cell.newest - age) % kSlots]; }
    static_assert((kSlots & (kSlots - 1)) == 0, "indices wrap around as unsigned numbers do");

    [[nodiscard]] Time::rep gone_at(const Cell& cell, size_t age) const {
        return cell.head - static_cast<Time::rep>(age) * step_ + window_;
    }
    void advance_head(Cell&, Time::rep now) const;
    [[nodiscard]] Time freed_at(const Cell&, uint32_t units) const;

    uint32_t limit_;
    Time::rep window_;
    Time::rep step_;
};

/// In 80 bytes; and in 144 where the counters have to be wide.
using FineWindow = SlidingWindow<uint8_t, 64>;
using Window = SlidingWindow<uint16_t, 32>;
using WideWindow = SlidingWindow<uint32_t, 32>;

template <class Count, size_t kSlots>
SlidingWindow<Count, kSlots>::SlidingWindow(const RateSpec& spec)
    : limit_(spec.count),
      window_(spec.window.count()),
      step_((spec.window.count() + static_cast<Time::rep>(kSlots) - 2) /
            (static_cast<Time::rep>(kSlots) - 1)) {}

template <class Count, size_t kSlots>
inline void SlidingWindow<Count, kSlots>::settle(Cell& cell, Time now) const {
    const Time::rep at = now.time_since_epoch().count();
    if (cell.live == 0) return;
    if (gone_at(cell, 0) <= at) {
        cell = Cell{};
        return;
    }
    for (; gone_at(cell, cell.live - 1U) <= at; --cell.live) {
        Count& oldest = count_at(cell, cell.live - 1U);
        cell.used -= oldest;
        oldest = 0;
    }
}

template <class Count, size_t kSlots>
inline Time SlidingWindow<Count, kSlots>::admit_at(const Cell& cell, Time now, uint32_t cost) const {
    if (cost > limit_) return kNever;
    if (cost <= limit_ - cell.used) return now;
    return freed_at(cell, cost - (limit_ - cell.used));
}

template <class Count, size_t kSlots>
inline void SlidingWindow<Count, kSlots>::charge(Cell& cell, Time now, uint32_t cost) const {
    const Time::rep at = now.time_since_epoch().count();
    if (cell.used == 0) {
        cell.head = at;
        cell.live = 1;
    } else {
        advance_head(cell, at);
    }
    count_at(cell, 0) = static_cast<Count>(count_at(cell, 0) + cost);
    cell.used += cost;
}

template <class Count, size_t kSlots>
inline void SlidingWindow<Count, kSlots>::advance_head(Cell& cell, Time::rep now) const {
    if (now <= cell.head) return;
    const Time::rep steps = (now - cell.head + step_ - 1) / step_;
    cell.head += steps * step_;
    cell.newest = static_cast<uint8_t>((cell.newest + static_cast<size_t>(steps)) % kSlots);
    cell.live = static_cast<uint8_t>(cell.live + steps);
}

extern template class SlidingWindow<uint8_t, 64>;
extern template class SlidingWindow<uint16_t, 32>;
extern template class SlidingWindow<uint32_t, 32>;

}  // namespace weir::policy
