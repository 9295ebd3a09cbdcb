#include "policy/retry_budget.h"

namespace weir::policy {

namespace {
constexpr unsigned kHalf = 32;
}

void RetryBudget::Ring::add(uint32_t slot) {
    std::atomic<uint64_t>& place = places_[slot % kPlaces];
    const uint64_t word = place.load(std::memory_order_relaxed);
    const bool is_same = static_cast<uint32_t>(word >> kHalf) == slot;
    // One thread writes: nothing is lost between the two.
    place.store(is_same ? word + 1 : (uint64_t{slot} << kHalf) + 1, std::memory_order_relaxed);
}

uint64_t RetryBudget::Ring::sum(uint32_t slot, uint32_t slots) const {
    uint64_t sum = 0;
    for (uint32_t back = 0; back < slots; ++back) {
        const uint64_t word = places_[(slot - back) % kPlaces].load(std::memory_order_relaxed);
        if (static_cast<uint32_t>(word >> kHalf) == slot - back) sum += static_cast<uint32_t>(word);
    }
    return sum;
}

RetryBudget::RetryBudget(unsigned percent, size_t workers) : percent_(percent), workers_(workers) {}

/// Slots are numbered from 2^31 on: an empty ring, all zeros, holds none of them before 34 years have passed.
uint32_t RetryBudget::slot_of(Time now) {
    return (1U << 31U) + static_cast<uint32_t>(now.time_since_epoch() / kSlot);
}

void RetryBudget::note_request(size_t worker, Time now) { workers_[worker].requests.add(slot_of(now)); }

uint64_t RetryBudget::requests_until(uint32_t slot) const {
    uint64_t sum = 0;
    for (const Worker& worker : workers_) sum += worker.requests.sum(slot, kSlots);
    return sum;
}

bool RetryBudget::take(Time now) {
    if (percent_ == 0) return false;
    const uint32_t slot = slot_of(now);
    const std::lock_guard lock(mutex_);
    const bool is_in_share = (retries_.sum(slot, kSlots) + 1) * 100 <= requests_until(slot) * percent_;
    if (!is_in_share && retries_.sum(slot, kSlotsInSecond) >= kLeastInSecond) return false;
    retries_.add(slot);
    return true;
}

RetryBudget::Figures RetryBudget::figures(Time now) const {
    const uint32_t slot = slot_of(now);
    const std::lock_guard lock(mutex_);
    return {.requests = requests_until(slot), .retries = retries_.sum(slot, kSlots)};
}

}  // namespace weir::policy
