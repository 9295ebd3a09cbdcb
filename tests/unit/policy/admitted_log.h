// What an unbounded memory would know of one key: every admission, in order. The limits are checked against
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "policy/rate_spec.h"

namespace weir::policy {

class AdmittedLog {
  public:
    void add(Time at, uint64_t cost) { entries_.push_back({at, cost}); }

    /// Of what was admitted in the `span` up to and including `now`; half-open at its far end.
    [[nodiscard]] uint64_t cost_within(Duration span, Time now) const {
        uint64_t sum = 0;
        for (size_t i = entries_.size(); i-- > 0 && now - entries_[i].at < span;) sum += entries_[i].cost;
        return sum;
    }

    /// A token bucket of these sizes would have had enough for all of it and for `cost` more: from no earlier
    /// admission to now was more taken than `burst` and what flowed in since.
    [[nodiscard]] bool bucket_allows(const RateSpec& refill, uint64_t burst, Time now, uint64_t cost) const {
        __extension__ using Wide = __int128;
        const auto fits = [&](uint64_t taken, Time since) {
            return Wide{taken} * refill.window.count() <=
                   Wide{burst} * refill.window.count() + Wide{(now - since).count()} * refill.count;
        };
        uint64_t taken = cost;
        if (!fits(taken, now)) return false;
        for (size_t i = entries_.size(); i-- > 0;) {
            taken += entries_[i].cost;
            if (!fits(taken, entries_[i].at)) return false;
        }
        return true;
    }

  private:
    struct Entry {
        Time at;
        uint64_t cost;
    };
    std::vector<Entry> entries_;
};

}  // namespace weir::policy
