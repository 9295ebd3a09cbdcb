#include "policy/balancer.h"

#include <algorithm>
#include <cassert>

namespace weir::policy {

namespace {

constexpr unsigned kNone = 4;  ///< class of what is not to be taken, behind the four that are

unsigned class_of(const Candidate& candidate) {
    if (candidate.standing == Candidate::Standing::out || candidate.is_full()) return kNone;
    return (candidate.is_tried ? 2U : 0U) + (candidate.standing == Candidate::Standing::suspect ? 1U : 0U);
}

/// Whether `a` has fewer requests for its weight than `b`. Below 2^32 requests and 2^18 of weight nothing
/// overflows.
bool is_freer(const Candidate& a, const Candidate& b) {
    return a.in_flight * b.weight_now() < b.in_flight * a.weight_now();
}

}  // namespace

Balancer::Balancer(config::Balance balance, size_t servers, uint64_t random)
    : balance_(balance), first_(random % servers), gained_(servers, 0) {}

Choice Balancer::choose(std::span<const Candidate> candidates, uint64_t random) {
    assert(candidates.size() == gained_.size());
    unsigned best = kNone;
    bool is_any_in = false;
    for (const Candidate& candidate : candidates) {
        best = std::min(best, class_of(candidate));
        is_any_in = is_any_in || candidate.standing != Candidate::Standing::out;
    }
    if (best == kNone) return {.kind = is_any_in ? Choice::Kind::all_full : Choice::Kind::all_out};
    const size_t server = balance_ == config::Balance::round_robin
                              ? next_in_turn(candidates, best)
                              : least_in_flight(candidates, best, random);
    return {.kind = Choice::Kind::server, .server = server};
}

size_t Balancer::least_in_flight(std::span<const Candidate> candidates, unsigned best,
                                 uint64_t random) const {
    const Candidate* freest = nullptr;
    uint64_t weight_of_equals = 0;
    for (const Candidate& candidate : candidates) {
        if (class_of(candidate) != best) continue;
        if (freest == nullptr || is_freer(candidate, *freest)) {
            freest = &candidate;
            weight_of_equals = 0;
        }
        if (!is_freer(*freest, candidate)) weight_of_equals += candidate.weight_now();
    }
    uint64_t drawn = random % weight_of_equals;
    for (size_t index = 0; index < candidates.size(); ++index) {
        const Candidate& candidate = candidates[index];
        if (class_of(candidate) != best || is_freer(*freest, candidate)) continue;
        if (drawn < candidate.weight_now()) return index;
        drawn -= candidate.weight_now();
    }
    assert(false);
    return 0;
}

size_t Balancer::next_in_turn(std::span<const Candidate> candidates, unsigned best) {
    int64_t gained_by_all = 0;
    size_t most = candidates.size();
    for (size_t step = 0; step < candidates.size(); ++step) {
        const size_t index = (first_ + step) % candidates.size();
        if (class_of(candidates[index]) != best) continue;
        const auto gain = static_cast<int64_t>(candidates[index].weight_now());
        gained_[index] += gain;
        gained_by_all += gain;
        if (most == candidates.size() || gained_[index] > gained_[most]) most = index;
    }
    gained_[most] -= gained_by_all;
    return most;
}

uint32_t slow_start_share(Duration since, std::optional<Duration> slow_start) {
    if (!slow_start || since >= *slow_start) return Candidate::kFullShare;
    constexpr double kFirst = 0.1;
    const double grown =
        static_cast<double>(std::max<Duration>(since, {}).count()) / static_cast<double>(slow_start->count());
    return static_cast<uint32_t>(std::max(kFirst, grown) * Candidate::kFullShare);
}

}  // namespace weir::policy
