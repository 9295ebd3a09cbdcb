// Rate rules, and how a request passes several of them: all are looked at, then all are charged, or none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <variant>

#include "base/clock.h"
#include "policy/cell_table.h"
#include "policy/gcra.h"
#include "policy/quota.h"
#include "policy/rate_spec.h"
#include "policy/window.h"

namespace weir::policy {

/// One limit and what it remembers of each key: never more than `rate` in any window; or, with a burst, a
/// token bucket that `rate` refills. Thread-safe, and as lasting as its state is meant to be. Requests reach
/// it through RateHold.
class RateRule {
  public:
    struct Limit {
        RateSpec rate;
        std::optional<uint32_t> burst;  ///< at least 1

        bool operator==(const Limit&) const = default;
    };

    /// Remembers `keys` clients at a time, at most CellIndex::kMostCapacity.
    RateRule(const Limit& limit, size_t keys) : limit_(limit), table_(make_table(limit, keys)) {}

    [[nodiscard]] const Limit& limit() const { return limit_; }
    /// A request of a greater cost is never admitted.
    [[nodiscard]] uint32_t most_cost() const { return limit_.burst.value_or(limit_.rate.count); }
    [[nodiscard]] size_t keys() const;
    [[nodiscard]] CellTableFigures figures();
    [[nodiscard]] size_t memory_bytes() const;

  private:
    friend class RateHold;
    using Table =
        std::variant<CellTable<FineWindow>, CellTable<Window>, CellTable<WideWindow>, CellTable<TokenBucket>>;
    static Table make_table(const Limit&, size_t keys);

    Limit limit_;
    Table table_;
};

/// What a request asks of one rule. Not initialised: an array of them costs nothing.
struct RateAsk {
    RateRule* rule;
    uint64_t key;   ///< of a KeyMaker
    uint32_t cost;  ///< at least 1
};
static_assert(std::is_trivial_v<RateAsk>);

/// Holds one request's key in every rule that applies to it: what it says stays true, and nobody else is
/// admitted for these keys, until it goes. Meant for a few hundred nanoseconds on the stack: look, decide,
/// charge. It may go without charging, and then it was as if the request had not come.
///
/// Locks are taken in the order of the rules' addresses, so holds of any rules in any order cannot wait for
/// one another in a circle. A thread has one hold at a time.
class RateHold {
  public:
    /// 16 of all requests and 16 of a route, which is what the configuration takes.
    static constexpr size_t kMostRules = 32;

    /// At most kMostRules asks, each of another rule; they outlive the hold.
    RateHold(std::span<const RateAsk> asks, Time now);
    ~RateHold();
    RateHold(const RateHold&) = delete;
    RateHold& operator=(const RateHold&) = delete;

    [[nodiscard]] bool admits() const { return refusing_ == asks_.size(); }
    /// The index of the ask whose rule admits last: the one to name in the answer. Only where the hold
    /// refuses.
    [[nodiscard]] size_t refusing() const { return refusing_; }
    /// The first instant at which every rule admits, if nothing happens in between: what Retry-After says.
    /// kNever where a cost is above all its rule allows at once. Only where the hold refuses.
    [[nodiscard]] Time retry_at() const { return admit_at(refusing_); }

    /// What one rule says, whatever the others say.
    [[nodiscard]] bool admits(size_t ask) const {
        return looks_[ask].admit_at == looks_[ask].place.since_epoch;
    }
    [[nodiscard]] Time admit_at(size_t ask) const { return Time{looks_[ask].admit_at}; }
    /// As it is now: after charge() the charge is in it.
    [[nodiscard]] Quota quota(size_t ask);

    /// Only where the hold admits, and once.
    void charge();

  private:
    struct Look {
        CellPlace place;
        Duration admit_at;  ///< since the clock's epoch
    };
    static_assert(std::is_trivial_v<Look>, "what is not asked for is not initialised");
    void sort_by_address();

    std::span<const RateAsk> asks_;
    size_t refusing_;                        ///< asks_.size(): none
    std::array<uint8_t, kMostRules> order_;  ///< asks in the order of their locks
    std::array<Look, kMostRules> looks_;
};

}  // namespace weir::policy
