// The rules of the concurrency group once more, said as plainly as possible: one list, looked through whole.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "policy/concurrency_group.h"

namespace weir::policy {

class QueueOracle {
  public:
    struct Entry {
        int id = 0;
        Arrival arrival;
        Time until{};
    };
    /// nullopt: it got a slot.
    struct Answer {
        int id = 0;
        std::optional<QueueReason> refused;
        bool operator==(const Answer&) const = default;
    };
    enum class Decision : uint8_t { admitted, waits, queue_full, predicted_wait };

    ConcurrencyLimits limits;
    WaitPredictor predictor;
    std::vector<Entry> waiting;  ///< in the order of arrival
    std::vector<Answer> answers;
    std::map<ClientKey, uint32_t> in_service;

    Decision arrive(int id, const Arrival& arrival, Time now) {
        if (total_in_service() < limits.slots && in_service[arrival.client] < limits.per_client) {
            ++in_service[arrival.client];
            return Decision::admitted;
        }
        const auto victims = victims_for(arrival);
        if (!victims) return Decision::queue_full;
        const Duration patience = std::min(limits.wait, arrival.deadline - now);
        const auto predicted = predict(arrival.client);
        if (patience <= Duration::zero() || (predicted && *predicted > patience)) {
            return Decision::predicted_wait;
        }
        for (const int victim : *victims) refuse(victim, QueueReason::queue_full);
        if (entries_of(arrival.client) == 0) turns_[arrival.client] = ++turn_;
        waiting.push_back({id, arrival, now + patience});
        return Decision::waits;
    }

    void finish(ClientKey client, Time now) {
        --in_service[client];
        hand_over(now);
    }

    void hand_over(Time now) {
        while (const Entry* next = first_in_order()) {
            const int id = next->id;
            const ClientKey client = next->arrival.client;
            if (now >= next->until) {
                refuse(id, QueueReason::queue_timeout);
                continue;
            }
            take_out(id);
            ++in_service[client];
            turns_[client] = ++turn_;
            answers.push_back({id, std::nullopt});
        }
    }

    void take_out(int id) {
        std::erase_if(waiting, [id](const Entry& entry) { return entry.id == id; });
    }

    [[nodiscard]] std::optional<Duration> predict(ClientKey client) const {
        const uint64_t own = entries_of(client);
        uint64_t starts = 1;
        for (const auto& [other, entries] : lengths())
            starts += std::min(entries, std::max(own, uint64_t{1}));
        if (total_in_service() > limits.slots) starts += total_in_service() - limits.slots;
        const auto found = in_service.find(client);
        const uint64_t own_after = (found == in_service.end() ? 0 : found->second) + own + 1;
        return predictor.predict({starts, limits.slots,
                                  own_after > limits.per_client ? own_after - limits.per_client : 0,
                                  limits.per_client});
    }

    [[nodiscard]] uint64_t total_in_service() const {
        uint64_t sum = 0;
        for (const auto& [client, count] : in_service) sum += count;
        return sum;
    }
    [[nodiscard]] size_t total_bytes() const {
        size_t sum = 0;
        for (const Entry& entry : waiting) sum += entry.arrival.bytes;
        return sum;
    }
    [[nodiscard]] std::map<ClientKey, uint64_t> lengths() const {
        std::map<ClientKey, uint64_t> lengths;
        for (const Entry& entry : waiting) ++lengths[entry.arrival.client];
        return lengths;
    }

  private:
    [[nodiscard]] uint64_t entries_of(ClientKey client) const {
        return static_cast<uint64_t>(
            std::count_if(waiting.begin(), waiting.end(),
                          [client](const Entry& entry) { return entry.arrival.client == client; }));
    }

    void refuse(int id, QueueReason reason) {
        take_out(id);
        answers.push_back({id, reason});
    }

    /// Of those that may start now, the one that does; the earliest of its client, since the list is in
    /// order.
    [[nodiscard]] const Entry* first_in_order() {
        const Entry* first = nullptr;
        if (total_in_service() >= limits.slots) return nullptr;
        const auto order = [this](const Entry& entry) {
            return std::pair(in_service[entry.arrival.client], turns_[entry.arrival.client]);
        };
        for (const Entry& entry : waiting) {
            if (in_service[entry.arrival.client] >= limits.per_client) continue;
            if (first == nullptr || order(entry) < order(*first)) first = &entry;
        }
        return first;
    }

    /// Lets the arrival in, then turns away the newest of whoever has the most until all fits; the arrival is
    /// refused where its own client is the one with the most, which at a tie it is, being the newest.
    [[nodiscard]] std::optional<std::vector<int>> victims_for(const Arrival& arrival) const {
        if (arrival.bytes > limits.queue.bytes) return std::nullopt;
        const size_t most_entries = std::max(limits.queue.entries, waiting.size());
        const size_t most_bytes = std::max(limits.queue.bytes, total_bytes());
        QueueOracle after(*this);
        after.waiting.push_back({-1, arrival, Time{}});
        std::vector<int> victims;
        const auto longest = after.longest();
        while (after.waiting.size() > most_entries || after.total_bytes() > most_bytes) {
            if (longest == arrival.client || after.entries_of(longest) <= after.entries_of(arrival.client)) {
                return std::nullopt;
            }
            if (victims.size() == FairQueue::kMostTurnedAway) return std::nullopt;
            const auto newest =
                std::find_if(after.waiting.rbegin(), after.waiting.rend(),
                             [&](const Entry& entry) { return entry.arrival.client == longest; });
            victims.push_back(newest->id);
            after.take_out(newest->id);
        }
        return victims;
    }

    [[nodiscard]] ClientKey longest() const {
        const auto all = lengths();
        uint64_t most = 0;
        for (const auto& [client, entries] : all) most = std::max(most, entries);
        const auto newest = std::find_if(waiting.rbegin(), waiting.rend(), [&](const Entry& entry) {
            return all.at(entry.arrival.client) == most;
        });
        return newest->arrival.client;
    }

    std::map<ClientKey, uint64_t> turns_;
    uint64_t turn_ = 0;
};

}  // namespace weir::policy
