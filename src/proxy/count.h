// Figures that one thread writes and any may read: no lock, no shared cache line, no read-modify-write.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"

namespace weir::proxy {

/// add() and set() belong to one thread; read() to any, which may see it a moment late.
class Count {
  public:
    void add(uint64_t more = 1) { set(read() + more); }
    void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] uint64_t read() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

/// How long things took, in fixed buckets. The bounds are the ones that dashboards know, and some below them
/// for answers that take less than a millisecond.
struct Buckets {
    static constexpr std::array<int64_t, 18> kMicroseconds{
        100,     250,     500,     1'000,     2'500,     5'000,     10'000,     25'000,     50'000,
        100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};
    static constexpr auto kBounds = [] {  // in seconds
        std::array<double, kMicroseconds.size()> seconds{};
        for (size_t i = 0; i < seconds.size(); ++i) seconds[i] = static_cast<double>(kMicroseconds[i]) / 1e6;
        return seconds;
    }();
    static constexpr size_t kCount = kBounds.size() + 1;  ///< the last one has no bound

    /// Of the first bucket whose bound is not below `took`, as Prometheus has it.
    [[nodiscard]] static size_t index_of(Duration took) {
        const auto is_below = [](int64_t bound, Duration time) {
            return std::chrono::microseconds(bound) < time;
        };
        const auto* const found =
            std::lower_bound(kMicroseconds.begin(), kMicroseconds.end(), took, is_below);
        return static_cast<size_t>(found - kMicroseconds.begin());
    }
};

/// What a Histogram was seen to hold: a plain value. Several of them can be added up.
struct HistogramFigures {
    std::array<uint64_t, Buckets::kCount> counts{};  ///< of each bucket alone
    uint64_t nanoseconds = 0;                        ///< all together

    [[nodiscard]] uint64_t count() const;
    [[nodiscard]] double sum_seconds() const { return static_cast<double>(nanoseconds) * 1e-9; }
    /// In seconds, `share` from 0 to 1: interpolated within its bucket, as histogram_quantile() of Prometheus
    /// does; the highest bound where it lies beyond that. Zero where nothing was observed.
    [[nodiscard]] double quantile(double share) const;
    HistogramFigures& operator+=(const HistogramFigures& other);
};

class Histogram {
  public:
    void observe(Duration took) {
        counts_[Buckets::index_of(took)].add();
        nanoseconds_.add(static_cast<uint64_t>(std::max(took, Duration::zero()).count()));
    }
    [[nodiscard]] HistogramFigures read() const;
    /// Counts what another one has counted, too.
    void add(const HistogramFigures& more);

  private:
    std::array<Count, Buckets::kCount> counts_;
    Count nanoseconds_;
};

/// How often each status code was answered, 100 to 599. The memory for a class of codes, 2xx say, is taken
/// when its first one comes, so that a thousand routes cost little.
class CodeCounts {
  public:
    static constexpr uint16_t kLeast = 100;
    static constexpr uint16_t kMost = 599;

    void add(uint16_t code, uint64_t more = 1) {
        const size_t index = code - kLeast;
        Page* page = pages_[index / kPerPage].load(std::memory_order_relaxed);
        if (page == nullptr) page = open(index / kPerPage);
        (*page)[index % kPerPage].add(more);
    }
    [[nodiscard]] uint64_t read(uint16_t code) const {
        const size_t index = code - kLeast;
        // What the page holds was written before it was shown.
        const Page* page = pages_[index / kPerPage].load(std::memory_order_acquire);
        return page == nullptr ? 0 : (*page)[index % kPerPage].read();
    }

  private:
    static constexpr size_t kPerPage = 100;
    static constexpr size_t kPages = 5;
    using Page = std::array<Count, kPerPage>;

    Page* open(size_t page);

    std::array<std::unique_ptr<Page>, kPages> owned_;
    std::array<std::atomic<Page*>, kPages> pages_{};
};

}  // namespace weir::proxy
