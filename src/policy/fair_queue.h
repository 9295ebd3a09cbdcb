// The order in which those who wait for a slot get one, and who has to go when the queue is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "policy/fair_clients.h"
#include "policy/indexed_heap.h"
#include "policy/prefix_counts.h"

namespace weir::policy {

/// Bookkeeping alone: it knows no slots, times or threads. Each operation is O(log n) of the clients or
/// entries that wait. Entries belong to the caller; one that waits must stay where it is.
///
/// Order: the client with the fewest requests in service comes first; of several the one whose turn is
/// longest ago, where a client's turn is when it last was given a slot from here or, if later, when it began
/// to wait; inside one client the oldest entry. Clients with equally many in service thus take turns.
class FairQueue {
  public:
    struct Bounds {
        size_t entries = 0;
        size_t bytes = 0;
    };
    /// One arrival turns away at most this many, all of one client.
    static constexpr uint32_t kMostTurnedAway = 32;

    /// Valid until the client has nothing in service, nothing waiting and forget_idle() or an operation that
    /// ended the last of it was called.
    [[nodiscard]] FairClient& client(ClientKey key) { return clients_.find_or_make(key); }
    void forget_idle(FairClient&);

    /// A request of this client got a slot without waiting.
    void start(FairClient& client) { ++client.in_service; }
    /// A request of this client gave its slot back.
    void finish(FairClient&);

    void push(FairEntry&, FairClient&, size_t bytes);
    /// Takes an entry out, wherever it stands.
    void remove(FairEntry&);
    /// Whose turn it is, of the clients with fewer than `per_client` in service; nullptr: nobody's.
    [[nodiscard]] FairEntry* next(uint32_t per_client) const;
    /// The entry gets a slot.
    void start(FairEntry&);

    /// How many of the newest entries of longest() have to go so that one more of `client` may wait; nullopt:
    /// it may not.
    [[nodiscard]] std::optional<uint32_t> price_of_room(const FairClient& client, size_t bytes,
                                                        const Bounds&) const;
    /// The client with the most entries; of several the one whose newest is newest. nullptr: nobody waits.
    [[nodiscard]] FairClient* longest() const { return by_length_.top(); }

    /// How many entries will be started before the next one of this client, were it pushed now; see the .cc
    /// for why, and how good it is.
    [[nodiscard]] uint64_t ahead_of_next(const FairClient&) const;

    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] size_t bytes() const { return bytes_; }
    [[nodiscard]] const FairClients& clients() const { return clients_; }

  private:
    struct ServedBefore {
        bool operator()(const FairClient& a, const FairClient& b) const {
            return a.in_service != b.in_service ? a.in_service < b.in_service : a.turn < b.turn;
        }
    };
    struct LongerThan {
        bool operator()(const FairClient& a, const FairClient& b) const {
            return a.waiting != b.waiting ? a.waiting > b.waiting : a.newest->arrival > b.newest->arrival;
        }
    };

    FairClients clients_;
    IndexedHeap<FairClient, &FairClient::order_index, ServedBefore> by_order_;  ///< those with entries
    IndexedHeap<FairClient, &FairClient::length_index, LongerThan> by_length_;  ///< the same
    PrefixCounts depths_;  ///< counter d: clients with at least d entries
    size_t size_ = 0;
    size_t bytes_ = 0;
    uint64_t arrivals_ = 0;
    uint64_t turns_ = 0;
};

}  // namespace weir::policy
