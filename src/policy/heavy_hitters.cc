#include "policy/heavy_hitters.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace weir::policy {

namespace {

bool is_heavier(const HeavyHitter& a, const HeavyHitter& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.key < b.key;
}

}  // namespace

void HeavySummary::scale(double factor) {
    least *= factor;
    total *= factor;
    for (HeavyHitter& each : hitters) {
        each.weight *= factor;
        each.error *= factor;
    }
}

HeavySummary merge(std::span<const HeavySummary> parts) {
    HeavySummary sum;
    std::unordered_map<uint64_t, HeavyHitter> by_key;
    for (const HeavySummary& part : parts) {
        sum.least += part.least;
        sum.total += part.total;
    }
    for (const HeavySummary& part : parts) {
        for (const HeavyHitter& each : part.hitters) {
            // Where a part does not know it, it may have weighed up to the least there.
            auto [at, is_new] =
                by_key.try_emplace(each.key, HeavyHitter{each.key, each.address, sum.least, sum.least});
            at->second.weight += each.weight - part.least;
            at->second.error += each.error - part.least;
        }
    }
    for (const auto& [key, hitter] : by_key) sum.hitters.push_back(hitter);
    std::sort(sum.hitters.begin(), sum.hitters.end(), is_heavier);
    return sum;
}

HeavyHitters::HeavyHitters(uint32_t counters)
    : most_(counters), buckets_(std::bit_ceil(size_t{counters} * 2), kNone) {
    counters_.reserve(most_);
    lightest_first_.reserve(most_);
}

void HeavyHitters::add(uint64_t key, const IpBytes& address, double weight) {
    Counter* found = find(key);
    Counter& counter = found != nullptr ? *found : take_counter(key);
    counter.hitter.address = address;
    counter.hitter.weight += weight;
    lightest_first_.update(counter);
    total_ += weight;
}

/// A free one, or that of the lightest, whose weight the newcomer takes over: it may have weighed as much.
HeavyHitters::Counter& HeavyHitters::take_counter(uint64_t key) {
    if (counters_.size() < most_) {
        Counter& fresh = counters_.emplace_back();
        fresh.hitter.key = key;
        link(fresh);
        lightest_first_.push(fresh);
        return fresh;
    }
    Counter& lightest = *lightest_first_.top();
    unlink(lightest);
    lightest.hitter.key = key;
    lightest.hitter.error = lightest.hitter.weight;
    link(lightest);
    return lightest;
}

HeavyHitters::Counter* HeavyHitters::find(uint64_t key) {
    uint32_t at = bucket_of(key);
    while (at != kNone && counters_[at].hitter.key != key) at = counters_[at].next;
    return at == kNone ? nullptr : &counters_[at];
}

void HeavyHitters::link(Counter& counter) {
    uint32_t& bucket = bucket_of(counter.hitter.key);
    counter.next = bucket;
    bucket = static_cast<uint32_t>(&counter - counters_.data());
}

void HeavyHitters::unlink(const Counter& counter) {
    uint32_t* at = &bucket_of(counter.hitter.key);
    while (&counters_[*at] != &counter) at = &counters_[*at].next;
    *at = counter.next;
}

void HeavyHitters::scale(double factor) {
    total_ *= factor;
    for (Counter& each : counters_) {
        each.hitter.weight *= factor;
        each.hitter.error *= factor;
    }
}

HeavySummary HeavyHitters::summary() const {
    HeavySummary summary;
    summary.total = total_;
    if (counters_.size() == most_) summary.least = lightest_first_.top()->hitter.weight;
    summary.hitters.reserve(counters_.size());
    for (const Counter& each : counters_) summary.hitters.push_back(each.hitter);
    std::sort(summary.hitters.begin(), summary.hitters.end(), is_heavier);
    return summary;
}

}  // namespace weir::policy
