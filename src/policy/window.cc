#include "policy/window.h"

#include <algorithm>

namespace weir::policy {

/// When the oldest charges that make up `units` have gone; `units` are charged.
template <class Count, size_t kSlots>
Time SlidingWindow<Count, kSlots>::freed_at(const Cell& cell, uint32_t units) const {
    size_t age = cell.live;
    uint64_t freed = 0;
    while (freed < units) freed += count_at(cell, --age);
    return Time{Duration{gone_at(cell, age)}};
}

template <class Count, size_t kSlots>
Quota SlidingWindow<Count, kSlots>::quota(const Cell& cell, Time now) const {
    Quota quota{.limit = limit_, .remaining = limit_ - cell.used};
    if (cell.used == 0) return quota;
    quota.next = freed_at(cell, 1) - now;
    return quota;
}

/// Both cells are functions of time that only fall: at t, a cell is charged with its counts whose instant
/// lies after t - W, that is with a sum that runs from its newest count back. The least function above both
/// is the greater of the two sums, age by age. Charges of `other` first move to the grid of `upper`, to the
/// next instant that is not earlier, or to the first one that is not before now: no charge is for something
/// later than that.
template <class Count, size_t kSlots>
void SlidingWindow<Count, kSlots>::cover(Cell& upper, const Cell& other, Time now) const {
    if (other.used == 0) return;
    if (upper.used == 0) {
        upper = other;
        return;
    }
    advance_head(upper, now.time_since_epoch().count());
    const Time::rep apart = upper.head - other.head;  // more than -step_
    const Time::rep shift = apart >= 0 ? apart / step_ : -1;
    std::array<uint32_t, kSlots> moved{};
    for (size_t age = 0; age < other.live; ++age) {
        const Time::rep to = std::max<Time::rep>(static_cast<Time::rep>(age) + shift, 0);
        moved[static_cast<size_t>(to)] += count_at(other, age);
    }
    uint32_t upper_sum = 0;
    uint32_t other_sum = 0;
    uint32_t covered = 0;
    for (size_t age = 0; age < kSlots; ++age) {
        upper_sum += count_at(upper, age);
        other_sum += moved[age];
        const uint32_t needed = std::max(upper_sum, other_sum);
        count_at(upper, age) = static_cast<Count>(needed - covered);
        if (needed != covered) upper.live = std::max(upper.live, static_cast<uint8_t>(age + 1));
        covered = needed;
    }
    upper.used = covered;
}

template class SlidingWindow<uint8_t, 64>;
template class SlidingWindow<uint16_t, 32>;
template class SlidingWindow<uint32_t, 32>;

static_assert(sizeof(FineWindow::Cell) == 80 && sizeof(Window::Cell) == 80 &&
              sizeof(WideWindow::Cell) == 144);

}  // namespace weir::policy
