// Which clients are busiest now: by requests, by refusals, and by the time that they keep the app at work.
//
// Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009): what comes later weighs
// more, and all is divided by the weight of the present when somebody asks. So nothing has to be aged
// meanwhile, and what the sketches guarantee holds for the decayed weights.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "policy/heavy_hitters.h"

namespace weir::policy {

/// One request that has ended.
struct ClientUse {
    uint64_t client = 0;  ///< its key, a seeded hash
    IpBytes address{};
    bool is_refused = false;
    Duration in_app{};  ///< how long the app was asked; not above zero: it was not
};

/// Means over the recent past: half of what they are made of is younger than BusyClients::kHalfLife.
struct BusyFigures {
    HeavySummary requests;  ///< per second
    HeavySummary refusals;  ///< per second
    HeavySummary in_app;    ///< how many at once
};

/// Of several workers together.
[[nodiscard]] BusyFigures merge(std::span<const BusyFigures> parts);

/// Thread: any, one at a time. 49 KB. A request costs 10 ns with a hundred clients, 75 ns where each client
/// is a new one (tests/bench/busy_clients_bench.cc). Whoever makes more than a kCounters-th of all requests
/// (refusals, time) of the recent past is known; see HeavyHitters.
class BusyClients {
  public:
    static constexpr uint32_t kCounters = 256;
    static constexpr Duration kHalfLife = std::chrono::seconds(30);
    /// Weights change in steps of it: the exponential is not worth its cost for each request.
    static constexpr Duration kStep = std::chrono::seconds(1);

    explicit BusyClients(Time now);

    /// O(log kCounters), no allocation. Times may go back by a little: they then count as of the latest.
    void note(const ClientUse& use, Time now);
    /// Before BusyClients is a second old, as if it were.
    [[nodiscard]] BusyFigures figures(Time now) const;

  private:
    [[nodiscard]] static double growth_between(Time from, Time to);
    void enter_step(Time now);

    Time started_;
    Time counts_from_;  ///< where a weight of 1 is one
    Time next_step_;
    double growth_ = 1;  ///< the weight of what comes in this step
    HeavyHitters requests_{kCounters};
    HeavyHitters refusals_{kCounters};
    HeavyHitters in_app_{kCounters};
};

}  // namespace weir::policy
