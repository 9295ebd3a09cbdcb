#include "policy/concurrency_group.h"

#include <cassert>
#include <utility>

namespace weir::policy {

Permit::~Permit() { abandon(ConcurrencyGroup::kUntold); }

Permit::Permit(Permit&& other) noexcept
    : group_(std::exchange(other.group_, nullptr)), client_(other.client_), since_(other.since_) {}

Permit& Permit::operator=(Permit&& other) noexcept {
    Permit moved(std::move(other));
    std::swap(group_, moved.group_);
    std::swap(client_, moved.client_);
    std::swap(since_, moved.since_);
    return *this;
}

void Permit::settle(Time now) {
    if (group_ != nullptr)
        std::exchange(group_, nullptr)->give_back(*this, now, ConcurrencyGroup::Outcome::completed);
}

void Permit::abandon(Time now) {
    if (group_ != nullptr)
        std::exchange(group_, nullptr)->give_back(*this, now, ConcurrencyGroup::Outcome::abandoned);
}

Place::~Place() {
    if (is_taken()) group_->leave(*this, ConcurrencyGroup::kUntold);
}

ConcurrencyGroup::ConcurrencyGroup(const ConcurrencyLimits& limits) : limits_(limits) {}

ConcurrencyGroup::~ConcurrencyGroup() { assert(figures_.in_service == 0 && queue_.size() == 0); }

Verdict ConcurrencyGroup::acquire(Place& place, const Arrival& arrival, Time now) {
    assert(!place.is_taken());
    const std::lock_guard lock(mutex_);
    now = see(now);
    ++figures_.arrivals;
    FairClient& client = queue_.client(arrival.client);
    if (figures_.in_service < limits_.slots && client.in_service < limits_.per_client) {
        queue_.start(client);
        ++figures_.admitted;
        ++figures_.in_service;
        return Permit(*this, client, now);
    }
    Verdict verdict = wait_or_refuse(place, client, arrival, now);
    queue_.forget_idle(client);
    return verdict;
}

Verdict ConcurrencyGroup::claim(Place& place) {
    assert(place.is_taken());
    const std::lock_guard lock(mutex_);
    return answer_of(place);
}

Verdict ConcurrencyGroup::expire(Place& place, Time now) {
    assert(place.is_taken());
    const std::lock_guard lock(mutex_);
    now = see(now);
    if (place.state_ == Place::State::waiting && now >= place.until_) {
        end_wait(place, QueueReason::queue_timeout);
    }
    return answer_of(place);
}

void ConcurrencyGroup::leave(Place& place, Time now) {
    if (!place.is_taken()) return;
    const std::lock_guard lock(mutex_);
    now = see(now);
    place.group_ = nullptr;
    switch (place.state_) {
        case Place::State::waiting: ++figures_.left; return queue_.remove(place);
        case Place::State::granted: return free_slot(*place.served_, Outcome::abandoned, now);
        case Place::State::refused: return;
    }
}

void ConcurrencyGroup::set_limits(const ConcurrencyLimits& limits, Time now) {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    hand_over(see(now));
}

void ConcurrencyGroup::let_all_in(Time now) {
    const std::lock_guard lock(mutex_);
    const ConcurrencyLimits limits = std::exchange(limits_, {});
    hand_over(see(now));
    limits_ = limits;
}

ConcurrencyFigures ConcurrencyGroup::figures() const {
    const std::lock_guard lock(mutex_);
    ConcurrencyFigures figures = figures_;
    figures.slots = limits_.slots;
    figures.waiting = queue_.size();
    figures.queue_room = limits_.queue.entries;
    figures.waiting_bytes = queue_.bytes();
    figures.clients = queue_.clients().size();
    figures.mean_service = predictor_.mean();
    return figures;
}

void ConcurrencyGroup::give_back(const Permit& permit, Time now, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    now = see(now);
    if (outcome == Outcome::completed) predictor_.observe(now - permit.since_);
    free_slot(*permit.client_, outcome, now);
}

Verdict ConcurrencyGroup::wait_or_refuse(Place& place, FairClient& client, const Arrival& arrival, Time now) {
    const auto price = queue_.price_of_room(client, arrival.bytes, limits_.queue);
    if (!price) return refuse(client, QueueReason::queue_full);
    const Duration patience = std::min(limits_.wait, arrival.deadline - now);
    const auto predicted = predict(client);
    if (patience <= Duration::zero() || predicted > patience) {
        return refuse(client, QueueReason::predicted_wait);
    }
    const FairClient* const payer = queue_.longest();  // it stays the same one, though no longer the longest
    for (uint32_t paid = 0; paid < *price; ++paid) {
        auto& newest = static_cast<Place&>(*payer->newest);
        end_wait(newest, QueueReason::queue_full);
        newest.answered_(newest.owner_);
    }
    const Waiting waiting{.until = now + patience, .predicted = predicted};
    place.group_ = this;
    place.state_ = Place::State::waiting;
    place.until_ = waiting.until;
    queue_.push(place, client, arrival.bytes);
    figures_.peak_waiting = std::max(figures_.peak_waiting, queue_.size());
    return waiting;
}

Verdict ConcurrencyGroup::answer_of(Place& place) {
    if (place.state_ == Place::State::waiting) return Waiting{.until = place.until_, .predicted = {}};
    place.group_ = nullptr;
    if (place.state_ == Place::State::refused) return place.refusal_;
    return Permit(*this, *place.served_, place.granted_);
}

void ConcurrencyGroup::free_slot(FairClient& client, Outcome outcome, Time now) {
    ++(outcome == Outcome::completed ? figures_.completed : figures_.abandoned);
    --figures_.in_service;
    queue_.finish(client);
    hand_over(now);
}

void ConcurrencyGroup::hand_over(Time now) {
    while (figures_.in_service < limits_.slots) {
        FairEntry* const next = queue_.next(limits_.per_client);
        if (next == nullptr) return;
        auto& place = static_cast<Place&>(*next);
        if (now < place.until_) {
            grant(place, now);
        } else {
            end_wait(place, QueueReason::queue_timeout);
        }
        place.answered_(place.owner_);
    }
}

void ConcurrencyGroup::grant(Place& place, Time now) {
    place.state_ = Place::State::granted;
    place.served_ = place.client;
    place.granted_ = now;
    queue_.start(place);
    ++figures_.admitted;
    ++figures_.in_service;
}

void ConcurrencyGroup::end_wait(Place& place, QueueReason reason) {
    // Before it is out, which may drop the client: what the place itself added to the prediction is one
    // start.
    place.refusal_ = refuse(*place.client, reason);
    place.state_ = Place::State::refused;
    queue_.remove(place);
}

Refusal ConcurrencyGroup::refuse(const FairClient& client, QueueReason reason) {
    ++figures_.refused[static_cast<size_t>(reason)];
    return {.reason = reason, .retry_after = predict(client).value_or(Duration::zero())};
}

std::optional<Duration> ConcurrencyGroup::predict(const FairClient& client) const {
    const uint64_t over = figures_.in_service - std::min<size_t>(figures_.in_service, limits_.slots);
    const uint64_t own = uint64_t{client.in_service} + client.waiting + 1;
    return predictor_.predict({.starts = queue_.ahead_of_next(client) + 1 + over,
                               .slots = limits_.slots,
                               .own_starts = own - std::min<uint64_t>(own, limits_.per_client),
                               .per_client_slots = limits_.per_client});
}

}  // namespace weir::policy
