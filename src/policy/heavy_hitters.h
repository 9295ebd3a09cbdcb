// Which of very many clients weigh most, in memory of fixed size.
//
// Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data
// Streams, ICDT 2005), with weights (Berinde, Indyk, Cormode, Strauss: Space-optimal Heavy Hitters with
// Strong Error Bounds, PODS 2009). Summaries add up as in Agarwal, Cormode, Huang, Phillips, Wei, Yi:
// Mergeable Summaries, PODS 2012.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "policy/indexed_heap.h"
#include "policy/key.h"

namespace weir::policy {

/// The truth lies between `weight - error` and `weight`.
struct HeavyHitter {
    uint64_t key = 0;
    IpBytes address{};  ///< where it was last seen
    double weight = 0;
    double error = 0;
};

/// What a sketch, or several together, know.
struct HeavySummary {
    std::vector<HeavyHitter> hitters;  ///< the heaviest first
    double least = 0;                  ///< whoever is not among them weighs at most this
    double total = 0;                  ///< of all that was added, whoever it was

    /// In other units.
    void scale(double factor);
};

/// Of streams that were watched apart, as if by one sketch: the bounds of each add up.
[[nodiscard]] HeavySummary merge(std::span<const HeavySummary> parts);

/// Thread: any, one at a time. With m counters and W the sum of all weights:
/// - whoever weighs more than W / m is among the hitters,
/// - no error is above W / m, and neither is `least`.
/// O(log m) for each addition, and no allocation. 64 bytes a counter, with its share of heap and index.
class HeavyHitters {
  public:
    /// `counters` is at least 1.
    explicit HeavyHitters(uint32_t counters);
    HeavyHitters(const HeavyHitters&) = delete;
    HeavyHitters& operator=(const HeavyHitters&) = delete;

    /// `key` is a seeded hash; `weight` is above zero.
    void add(uint64_t key, const IpBytes& address, double weight);
    /// Multiplies all that was added so far; above zero.
    void scale(double factor);

    [[nodiscard]] HeavySummary summary() const;
    [[nodiscard]] double total() const { return total_; }

  private:
    struct Counter {
        HeavyHitter hitter;
        uint32_t next = kNone;  ///< in its chain of the index
        uint32_t heap_index = 0;
    };
    struct Lighter {
        bool operator()(const Counter& a, const Counter& b) const {
            return a.hitter.weight < b.hitter.weight;
        }
    };
    static constexpr uint32_t kNone = UINT32_MAX;

    [[nodiscard]] uint32_t& bucket_of(uint64_t key) { return buckets_[key & (buckets_.size() - 1)]; }
    [[nodiscard]] Counter* find(uint64_t key);
    [[nodiscard]] Counter& take_counter(uint64_t key);
    void link(Counter&);
    void unlink(const Counter&);

    uint32_t most_;
    std::vector<Counter> counters_;  ///< never more than `most_`: they stay where they are
    std::vector<uint32_t> buckets_;  ///< as many as a power of two
    IndexedHeap<Counter, &Counter::heap_index, Lighter> lightest_first_;
    double total_ = 0;
};

}  // namespace weir::policy
