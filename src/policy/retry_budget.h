// How many requests may be sent again. A server that fails under load must not be asked twice as often for
// it: retries are a share of the requests, whatever goes wrong (Google, "Site Reliability Engineering",
// chapter 22).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/clock.h"

namespace weir::policy {

/// One for all workers. Any thread, each `worker` by one thread at a time: counting a request writes a slot
/// that belongs to its worker (a plain load and store, no lock); asking for a retry takes a lock and adds the
/// slots up, which costs little beside what has failed.
///
/// What is not asked for here: a request that found its reused connection closed by the app. It is weir's own
/// doing that the connection was reused, and the app has seen nothing of it.
class RetryBudget {
  public:
    static constexpr Duration kWindow = std::chrono::seconds(10);
    /// Within the last second these are given whatever the share says: with few requests, a share of them is
    /// none. Not with a share of zero, which means what it says.
    static constexpr uint64_t kLeastInSecond = 3;

    /// `percent`: 0 to 100. `workers`: at least 1.
    RetryBudget(unsigned percent, size_t workers);
    RetryBudget(const RetryBudget&) = delete;
    RetryBudget& operator=(const RetryBudget&) = delete;

    /// A request begins; not each try of it. `now` of one worker never goes back, and workers differ by
    /// little.
    void note_request(size_t worker, Time now);

    /// One more try of some request may begin, and is counted. A request may be tried several times: each
    /// asks.
    [[nodiscard]] bool take(Time now);

    /// Of the last kWindow.
    struct Figures {
        uint64_t requests = 0;
        uint64_t retries = 0;
    };
    [[nodiscard]] Figures figures(Time now) const;

  private:
    /// The window slides by this much at a time: it is up to half a second short, in both figures alike.
    static constexpr Duration kSlot = std::chrono::milliseconds(500);
    static constexpr uint32_t kSlots = kWindow / kSlot;
    static constexpr uint32_t kSlotsInSecond = std::chrono::seconds(1) / kSlot;

    /// A ring of counts: the number of the slot in the upper half of a word, its count in the lower, so that
    /// a reader on another thread never sees the one without the other. More places than slots: a worker that
    /// is a little ahead overwrites nothing that another one still counts.
    class Ring {
      public:
        void add(uint32_t slot);
        /// In the last `slots`, `slot` among them.
        [[nodiscard]] uint64_t sum(uint32_t slot, uint32_t slots) const;

      private:
        static constexpr uint32_t kPlaces = 32;
        static_assert(kPlaces > kSlots);
        std::array<std::atomic<uint64_t>, kPlaces> places_{};
    };
    struct alignas(64) Worker {
        Ring requests;
    };

    [[nodiscard]] static uint32_t slot_of(Time now);
    [[nodiscard]] uint64_t requests_until(uint32_t slot) const;

    unsigned percent_;
    std::vector<Worker> workers_;
    mutable std::mutex mutex_;
    Ring retries_;  ///< under the lock
};

}  // namespace weir::policy
