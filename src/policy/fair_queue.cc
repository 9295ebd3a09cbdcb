#include "policy/fair_queue.h"

#include <algorithm>
#include <cassert>

namespace weir::policy {

void FairQueue::forget_idle(FairClient& client) {
    if (client.in_service == 0 && client.waiting == 0) clients_.drop(client);
}

void FairQueue::finish(FairClient& client) {
    assert(client.in_service > 0);
    --client.in_service;
    if (client.waiting > 0) by_order_.update(client);
    forget_idle(client);
}

void FairQueue::push(FairEntry& entry, FairClient& client, size_t bytes) {
    assert(entry.client == nullptr);
    entry = FairEntry{.older = client.newest, .client = &client, .arrival = ++arrivals_, .bytes = bytes};
    (client.newest == nullptr ? client.oldest : client.newest->newer) = &entry;
    client.newest = &entry;
    depths_.increment(++client.waiting);
    if (client.waiting == 1) {
        client.turn = ++turns_;
        by_order_.push(client);
        by_length_.push(client);
    } else {
        by_length_.update(client);
    }
    ++size_;
    bytes_ += bytes;
}

void FairQueue::remove(FairEntry& entry) {
    FairClient& client = *entry.client;
    (entry.older == nullptr ? client.oldest : entry.older->newer) = entry.newer;
    (entry.newer == nullptr ? client.newest : entry.newer->older) = entry.older;
    entry.client = nullptr;
    depths_.decrement(client.waiting--);
    --size_;
    bytes_ -= entry.bytes;
    if (client.newest != nullptr) return by_length_.update(client);
    by_order_.remove(client);
    by_length_.remove(client);
    forget_idle(client);
}

FairEntry* FairQueue::next(uint32_t per_client) const {
    // The first in order has the fewest in service: where it is at its cap, all are.
    const FairClient* client = by_order_.top();
    return client == nullptr || client->in_service >= per_client ? nullptr : client->oldest;
}

void FairQueue::start(FairEntry& entry) {
    FairClient& client = *entry.client;
    start(client);  // first, so that removing its last entry does not drop the record
    remove(entry);
    if (client.waiting == 0) return;
    client.turn = ++turns_;
    by_order_.update(client);
}

// The arrival counts as its client's newest entry. So it makes room only while the longest client keeps at
// least as many as the arriving one then has: at a tie those who came first stay, or else a queue full of
// single requests would be churned by every newcomer, and two equal crowds would turn each other away for
// ever. A bound that was lowered turns nobody away; until it is reached again an arrival may only replace.
std::optional<uint32_t> FairQueue::price_of_room(const FairClient& client, size_t bytes,
                                                 const Bounds& bounds) const {
    if (bytes > bounds.bytes) return std::nullopt;
    const size_t most_entries = std::max(bounds.entries, size_);
    const size_t most_bytes = std::max(bounds.bytes, bytes_);
    size_t after_entries = size_ + 1;
    size_t after_bytes = bytes_ + bytes;
    uint32_t price = 0;
    const FairClient* victim = longest();
    const FairEntry* newest = victim == nullptr ? nullptr : victim->newest;
    while (after_entries > most_entries || after_bytes > most_bytes) {
        if (newest == nullptr || price == kMostTurnedAway) return std::nullopt;
        if (victim->waiting - price <= client.waiting + 1) return std::nullopt;
        ++price;
        --after_entries;
        after_bytes -= newest->bytes;
        newest = newest->older;
    }
    return price;
}

// Clients that have entries are started equally often, so before the j-th entry of one is started every other
// has had min(its entries, j - 1) started, and perhaps one more, depending on who comes first in a round:
//     sum over all clients of min(entries, j - 1) = sum over the depths d < j of the clients with at least d.
// With j - 1 entries of its own waiting that is up_to(j - 1), its own among them: the least that is ahead. A
// client of which nothing waits yet joins behind every other, and j = 1 is exact: up_to(1).
// The estimate is short by at most one round (the clients that have j entries). It is too great by at most
// the slots there are: clients that have more in service than this one sit out until they have as many, each
// for as many turns as it has more, and all of them together hold no more than the slots.
uint64_t FairQueue::ahead_of_next(const FairClient& client) const {
    return depths_.up_to(std::max(client.waiting, 1U));
}

}  // namespace weir::policy
