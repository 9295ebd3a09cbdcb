#include "proxy/count.h"

#include <numeric>

namespace weir::proxy {

uint64_t HistogramFigures::count() const {
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

double HistogramFigures::quantile(double share) const {
    const auto rank = share * static_cast<double>(count());
    double below = 0;
    double bound_below = 0;
    for (size_t bucket = 0; bucket < Buckets::kBounds.size(); ++bucket) {
        const auto inside = static_cast<double>(counts[bucket]);
        const double bound = Buckets::kBounds[bucket];
        if (inside > 0 && below + inside >= rank)
            return bound_below + (bound - bound_below) * (rank - below) / inside;
        below += inside;
        bound_below = bound;
    }
    return count() == 0 ? 0 : Buckets::kBounds.back();
}

HistogramFigures& HistogramFigures::operator+=(const HistogramFigures& other) {
    for (size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += other.counts[bucket];
    nanoseconds += other.nanoseconds;
    return *this;
}

HistogramFigures Histogram::read() const {
    HistogramFigures figures;
    for (size_t bucket = 0; bucket < counts_.size(); ++bucket)
        figures.counts[bucket] = counts_[bucket].read();
    figures.nanoseconds = nanoseconds_.read();
    return figures;
}

void Histogram::add(const HistogramFigures& more) {
    for (size_t bucket = 0; bucket < counts_.size(); ++bucket) counts_[bucket].add(more.counts[bucket]);
    nanoseconds_.add(more.nanoseconds);
}

CodeCounts::Page* CodeCounts::open(size_t page) {
    owned_[page] = std::make_unique<Page>();
    pages_[page].store(owned_[page].get(), std::memory_order_release);
    return owned_[page].get();
}

}  // namespace weir::proxy
