// Counters in a row that can be summed from the first to any (P. Fenwick, "A new data structure for
// cumulative frequency tables", 1994).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::policy {

/// Counters 1, 2, 3 and so on, all 0 at first; the row grows as needed. Both operations are O(log n) of the
/// highest counter ever changed.
class PrefixCounts {
  public:
    void increment(uint32_t at) {
        while (at > last()) grow();
        change(at, 1);
    }
    void decrement(uint32_t at) { change(at, ~uint32_t{0}); }  // adding the greatest number takes one away

    /// Counters 1 to `at` together.
    [[nodiscard]] uint32_t up_to(uint32_t at) const {
        uint32_t sum = 0;
        for (at = std::min(at, last()); at > 0; at &= at - 1) sum += sums_[at];
        return sum;
    }

  private:
    [[nodiscard]] uint32_t last() const { return static_cast<uint32_t>(sums_.size() - 1); }

    void change(uint32_t at, uint32_t by) {
        for (; at <= last(); at += at & (~at + 1)) sums_[at] += by;
    }
    /// A row's length is a power of two, so its last sum is that of the whole row.
    void grow() {
        const uint32_t all = sums_[last()];
        sums_.resize(2 * size_t{last()} + 1);
        sums_.back() = all;
    }

    /// sums_[i] covers as many counters up to i as the lowest bit of i says; sums_[0] is not used.
    std::vector<uint32_t> sums_ = std::vector<uint32_t>(64 + 1);
};

}  // namespace weir::policy
