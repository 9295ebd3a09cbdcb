// How many requests may be inside the app at once, and who waits for how long when that many are.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <variant>

#include "base/clock.h"
#include "policy/fair_queue.h"
#include "policy/wait_predictor.h"

namespace weir::policy {

class ConcurrencyGroup;

enum class QueueReason : uint8_t {
    queue_full,      ///< no room, or room was made for a client with less waiting
    queue_timeout,   ///< its wait or its deadline was over before a slot was free
    predicted_wait,  ///< it would have been: see WaitPredictor
};
inline constexpr size_t kQueueReasons = 3;

struct ConcurrencyLimits {
    static constexpr uint32_t kUnbounded = UINT32_MAX;

    uint32_t slots = kUnbounded;       ///< 0: all wait, and nobody is refused by prediction
    uint32_t per_client = kUnbounded;  ///< slots of one client; what is more waits; at least 1
    FairQueue::Bounds queue;
    Duration wait{};  ///< in the queue, at most
};

struct Arrival {
    ClientKey client = 0;
    size_t bytes = 0;        ///< of memory that its waiting holds
    Time deadline = kNever;  ///< of the whole request
};

/// A slot of the app, held. Dropping it abandons it. Thread: any, one at a time. The group outlives it.
class Permit {
  public:
    Permit() = default;
    ~Permit();  ///< abandons
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&& other) noexcept;

    [[nodiscard]] explicit operator bool() const { return group_ != nullptr; }
    /// The app is asked only now: what went before, while it could not be reached, is not its service time.
    void count_from(Time now) { since_ = now; }
    /// The slot was in use from the grant until now, which the predictor learns. That includes a request that
    /// ran into its deadline inside the app: it held the slot for so long.
    void settle(Time now);
    /// The slot is given back and says nothing of how long the app takes: the client left, no connection.
    void abandon(Time now);

  private:
    friend class ConcurrencyGroup;
    Permit(ConcurrencyGroup& group, FairClient& client, Time since)
        : group_(&group), client_(&client), since_(since) {}

    ConcurrencyGroup* group_ = nullptr;
    FairClient* client_ = nullptr;
    Time since_{};
};

struct Waiting {
    Time until{};                       ///< when to call expire()
    std::optional<Duration> predicted;  ///< nullopt: too little is known
};

struct Refusal {
    QueueReason reason{};
    Duration retry_after{};  ///< the predicted wait, unrounded; zero where too little is known
};

using Verdict = std::variant<Permit, Waiting, Refusal>;

/// A place in the queue, embedded in what waits; not movable, since the queue points at it. Its owner is one
/// thread, which alone calls acquire, claim, expire and leave with it; the destructor leaves.
class Place : private FairEntry {
  public:
    /// Says that claim() has an answer. Called once a wait at most, by whichever thread caused the answer and
    /// under the group's lock: it may leave a note for the owner's thread (a letter, a task) and nothing
    /// else; above all it must not call the group. For this price it is sure not to run, nor to be called
    /// later, once claim, expire or leave has returned anything but Waiting.
    using Answered = void (*)(void* owner) noexcept;

    Place(Answered answered, void* owner) : answered_(answered), owner_(owner) {}
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// Between acquire() saying Waiting and the end of that wait. For the owner's thread.
    [[nodiscard]] bool is_taken() const { return group_ != nullptr; }

  private:
    friend class ConcurrencyGroup;
    enum class State : uint8_t { waiting, granted, refused };

    Answered answered_;
    void* owner_;
    ConcurrencyGroup* group_ = nullptr;  ///< touched by the owner's thread alone

    // All below, and the node itself, under the group's lock.
    State state_ = State::waiting;
    Time until_{};
    Time granted_{};
    FairClient* served_ = nullptr;  ///< whose slot it is, where granted
    Refusal refusal_;               ///< where refused
};

/// For the figures that the operator sees. At any time, counting what waited and what did not:
/// arrivals = admitted + all refused + left + waiting, and admitted = completed + abandoned + in_service.
struct ConcurrencyFigures {
    uint32_t slots = 0;
    size_t in_service = 0;
    size_t waiting = 0;
    size_t queue_room = 0;  ///< the most that may wait
    size_t waiting_bytes = 0;
    size_t peak_waiting = 0;
    size_t clients = 0;  ///< with anything in service or waiting
    uint64_t arrivals = 0;
    uint64_t admitted = 0;
    uint64_t completed = 0;
    uint64_t abandoned = 0;
    uint64_t left = 0;  ///< while they waited
    std::array<uint64_t, kQueueReasons> refused{};
    std::optional<Duration> mean_service;

    [[nodiscard]] uint64_t refused_for(QueueReason reason) const {
        return refused[static_cast<size_t>(reason)];
    }
};

/// A cap of slots shared by all workers, and a FairQueue before it.
///
/// - A free slot never stays free while somebody waits who may have it: whatever frees a slot, by a permit, a
///   place or new limits, hands it over in the same call. Hence an arrival that finds a free slot, and its
///   client below its cap, overtakes nobody.
/// - Whose wait is over gets no slot, whether or not expire() has been called yet.
/// - One mutex guards everything. A counter of free slots would let an uncontended request pass without it,
///   but then nobody would know how many requests of a client are in service, which is what fairness goes by.
///   It costs little: 40 ns for acquire and settle where nothing waits, 70 to 90 ns where four threads do
///   nothing else, 200 ns with 10,000 waiting (tests/bench/fair_queue_bench.cc).
/// - No allocation where nothing waits, but for more clients at once than ever before.
///
/// Threads: any. Workers may pass times that differ a little. Outlives its permits and places.
class ConcurrencyGroup {
  public:
    explicit ConcurrencyGroup(const ConcurrencyLimits&);
    ~ConcurrencyGroup();  ///< asserts that nothing is in service and nobody waits
    ConcurrencyGroup(const ConcurrencyGroup&) = delete;
    ConcurrencyGroup& operator=(const ConcurrencyGroup&) = delete;

    /// With Waiting, the place is taken until claim, expire or leave ends that; else it is not touched.
    [[nodiscard]] Verdict acquire(Place&, const Arrival&, Time now);
    /// The answer after Place::Answered; Waiting if it has not been called.
    [[nodiscard]] Verdict claim(Place&);
    /// To be called at Waiting::until. Refused if it still waits then; a slot that was granted before it came
    /// to this is a Permit.
    [[nodiscard]] Verdict expire(Place&, Time now);
    /// Whoever waited is gone. A slot that was granted meanwhile goes to the next. Nothing if not taken.
    void leave(Place&, Time now);

    /// Keeps what is in service and who waits. Slots that become free are handed over at once; where there
    /// are now fewer, those in service finish.
    void set_limits(const ConcurrencyLimits&, Time now);
    /// The cap is no more: everybody who waits gets a slot, beyond the limits, which stay as they are.
    void let_all_in(Time now);
    [[nodiscard]] ConcurrencyFigures figures() const;

  private:
    friend class Permit;
    friend class Place;

    enum class Outcome : uint8_t { completed, abandoned };
    void give_back(const Permit&, Time now, Outcome);

    /// Given by destructors, which are told no time: the latest that anybody has passed in takes its place.
    static constexpr Time kUntold = Time::min();
    [[nodiscard]] Time see(Time now) {
        latest_ = std::max(latest_, now);
        return now == kUntold ? latest_ : now;
    }

    // Under the lock, as see() is.
    [[nodiscard]] Verdict wait_or_refuse(Place&, FairClient&, const Arrival&, Time now);
    [[nodiscard]] Verdict answer_of(Place&);
    void free_slot(FairClient&, Outcome, Time now);
    void hand_over(Time now);
    void grant(Place&, Time now);
    void end_wait(Place&, QueueReason);
    [[nodiscard]] Refusal refuse(const FairClient&, QueueReason);
    [[nodiscard]] std::optional<Duration> predict(const FairClient&) const;

    mutable std::mutex mutex_;
    ConcurrencyLimits limits_;
    FairQueue queue_;
    WaitPredictor predictor_;
    ConcurrencyFigures figures_;  ///< counters, peak and in_service; figures() fills in the rest
    Time latest_ = kUntold;
};

}  // namespace weir::policy
