// Random traces, played to the group and to an oracle, compared after every step.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "policy/concurrency_group.h"
#include "policy/queue_oracle.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

struct Shape {
    uint32_t clients;
    uint32_t most_slots;
    uint32_t most_entries;
    size_t most_bytes;
    uint32_t arrivals_in_ten;  ///< how many of ten steps are arrivals: pressure on the queue
};

class Trace {
  public:
    Trace(uint32_t seed, const Shape& shape)
        : random_(seed), shape_(shape), limits_(random_limits()), group_(limits_) {
        oracle_.limits = limits_;
    }

    void run(int steps) {
        for (int step = 0; step < steps; ++step) {
            CAPTURE(step);
            now_ += upto(10) == 0 ? Duration(upto(300) * 1ms) : Duration(upto(5) * 1ms);
            if (upto(10) < shape_.arrivals_in_ten) {
                arrive();
            } else {
                end_something();
            }
            compare();
        }
        drain();
    }
    [[nodiscard]] const ConcurrencyFigures& last() const { return last_; }

  private:
    struct Request {
        Request(Trace& owner, int number, Arrival what)
            : trace(owner), id(number), arrival(what), place(&Request::answered, this) {}
        static void answered(void* request) noexcept {
            auto& self = *static_cast<Request*>(request);
            self.trace.answered_.push_back(self.id);
        }
        Trace& trace;
        int id;
        Arrival arrival;
        Place place;
        Permit permit;
        Time since{};  ///< of the slot
    };
    using Requests = std::vector<std::unique_ptr<Request>>;

    Time tell() { return seen_ = now_; }
    uint32_t upto(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

    ConcurrencyLimits random_limits() {
        const uint32_t slots = upto(20) == 0 ? 0 : 1 + upto(shape_.most_slots);
        return {.slots = slots,
                .per_client = upto(2) == 0 ? ConcurrencyLimits::kUnbounded : 1 + upto(shape_.most_slots),
                .queue = {upto(shape_.most_entries),
                          shape_.most_bytes / (1 + upto(3))},  // bounds that are lowered, too
                .wait = Duration(upto(4) == 0 ? 100ms : 5s)};
    }

    void arrive() {
        // Half of the requests come from one client.
        const ClientKey client = upto(2) == 0 ? 0 : upto(shape_.clients);
        const Time deadline = upto(4) == 0 ? now_ + Duration(upto(400) * 1ms) : kNever;
        auto request = std::make_unique<Request>(*this, next_id_++, Arrival{client, upto(1000), deadline});
        const auto expected = oracle_.arrive(request->id, request->arrival, now_);
        const auto predicted = oracle_.predict(client);
        Verdict verdict = group_.acquire(request->place, request->arrival, tell());
        using Decision = QueueOracle::Decision;
        if (auto* permit = std::get_if<Permit>(&verdict)) {
            REQUIRE(expected == Decision::admitted);
            request->permit = std::move(*permit);
            request->since = now_;
            served_.push_back(std::move(request));
        } else if (const auto* waiting = std::get_if<Waiting>(&verdict)) {
            REQUIRE(expected == Decision::waits);
            REQUIRE(waiting->until == oracle_.waiting.back().until);
            places_.push_back(std::move(request));
        } else {
            const auto& refusal = std::get<Refusal>(verdict);
            REQUIRE(expected == (refusal.reason == QueueReason::queue_full ? Decision::queue_full
                                                                           : Decision::predicted_wait));
            REQUIRE(refusal.retry_after == predicted.value_or(0ns));
            ++refused_[static_cast<size_t>(refusal.reason)];
            REQUIRE_FALSE(request->place.is_taken());
        }
    }

    void end_something() {
        switch (upto(16)) {
            case 0: return set_limits();
            case 1: return leave(pick(places_));
            case 2: return leave(last_granted());
            case 3: return end(pick(served_), false);
            case 4:
            case 5: return expire(pick(places_));
            case 6:
            case 7:
            case 8: return claim(pick(places_));
            default: return end(pick(served_), true);
        }
    }

    std::unique_ptr<Request> take(Requests& requests, size_t at) {
        if (at >= requests.size()) return nullptr;
        std::swap(requests[at], requests.back());
        auto request = std::move(requests.back());
        requests.pop_back();
        return request;
    }
    std::unique_ptr<Request> pick(Requests& requests) {
        return requests.empty() ? nullptr : take(requests, random_() % requests.size());
    }
    /// The owner goes away between the grant and the claim.
    std::unique_ptr<Request> last_granted() {
        const auto granted = std::find_if(places_.begin(), places_.end(), [this](const auto& request) {
            const auto* answer = answer_to(request->id);
            return answer != nullptr && !answer->refused;
        });
        return take(places_, static_cast<size_t>(granted - places_.begin()));
    }
    const QueueOracle::Answer* answer_to(int id) const {
        const auto found = std::find_if(oracle_.answers.begin(), oracle_.answers.end(),
                                        [id](const auto& answer) { return answer.id == id; });
        return found == oracle_.answers.end() ? nullptr : &*found;
    }

    void set_limits() {
        limits_ = random_limits();
        oracle_.limits = limits_;
        oracle_.hand_over(now_);
        group_.set_limits(limits_, tell());
    }

    void end(std::unique_ptr<Request> request, bool completed) {
        if (request == nullptr) return;
        if (!completed && upto(2) == 0) {  // its destructor abandons, at the time the group knows of
            ++abandoned_;
            return oracle_.finish(request->arrival.client, seen_);
        }
        if (completed) oracle_.predictor.observe(now_ - request->since);
        ++(completed ? completed_ : abandoned_);
        oracle_.finish(request->arrival.client, now_);
        completed ? request->permit.settle(tell()) : request->permit.abandon(tell());
    }

    void leave(std::unique_ptr<Request> request) {
        if (request == nullptr) return;
        const bool told = upto(2) == 0;  // else its destructor leaves, at the time the group knows of
        if (told) tell();
        if (const auto* answer = answer_to(request->id); answer == nullptr) {
            oracle_.take_out(request->id);
            ++left_;
        } else if (!answer->refused) {
            ++abandoned_;
            oracle_.finish(request->arrival.client, seen_);
        }
        if (told) group_.leave(request->place, now_);
    }

    void claim(std::unique_ptr<Request> request) {
        if (request == nullptr) return;
        resolve(std::move(request), [this](Place& place) { return group_.claim(place); });
    }

    void expire(std::unique_ptr<Request> request) {
        if (request == nullptr) return;
        const auto& waiting = oracle_.waiting;
        const auto entry = std::find_if(waiting.begin(), waiting.end(),
                                        [&](const auto& candidate) { return candidate.id == request->id; });
        if (entry != waiting.end() && entry->until <= now_) {
            oracle_.take_out(request->id);
            const Verdict verdict = group_.expire(request->place, tell());
            REQUIRE(std::get<Refusal>(verdict).reason == QueueReason::queue_timeout);
            ++refused_[static_cast<size_t>(QueueReason::queue_timeout)];
            REQUIRE_FALSE(request->place.is_taken());
            return;
        }
        resolve(std::move(request), [this](Place& place) { return group_.expire(place, tell()); });
    }

    template <class Ask>
    void resolve(std::unique_ptr<Request> request, Ask ask) {
        const auto* answer = answer_to(request->id);
        Verdict verdict = ask(request->place);
        REQUIRE(request->place.is_taken() == (answer == nullptr));
        if (answer == nullptr) {
            REQUIRE(std::holds_alternative<Waiting>(verdict));
            places_.push_back(std::move(request));
        } else if (answer->refused) {
            REQUIRE(std::get<Refusal>(verdict).reason == *answer->refused);
        } else {
            request->permit = std::get<Permit>(std::move(verdict));
            request->since = granted_at_.at(request->id);
            served_.push_back(std::move(request));
        }
    }

    void compare() {
        for (; compared_ < oracle_.answers.size(); ++compared_) {
            const auto& answer = oracle_.answers[compared_];
            REQUIRE(compared_ < answered_.size());
            REQUIRE(answered_[compared_] == answer.id);
            granted_at_[answer.id] = seen_;
            if (answer.refused) ++refused_[static_cast<size_t>(*answer.refused)];
        }
        REQUIRE(answered_.size() == compared_);
        compare_figures();
        check_rules();
    }

    void compare_figures() {
        const auto figures = last_ = group_.figures();
        REQUIRE(figures.waiting == oracle_.waiting.size());
        REQUIRE(figures.waiting_bytes == oracle_.total_bytes());
        REQUIRE(figures.in_service == oracle_.total_in_service());
        REQUIRE(figures.refused == refused_);
        REQUIRE(figures.completed == completed_);
        REQUIRE(figures.abandoned == abandoned_);
        REQUIRE(figures.left == left_);
        REQUIRE(figures.mean_service == oracle_.predictor.mean());
        REQUIRE(figures.admitted == completed_ + abandoned_ + figures.in_service);
        REQUIRE(figures.arrivals == figures.admitted + figures.left + figures.waiting +
                                        std::accumulate(refused_.begin(), refused_.end(), uint64_t{0}));
    }

    /// Of the state as it is, whatever led to it.
    void check_rules() {
        const auto lengths = oracle_.lengths();
        if (last_.in_service < limits_.slots) {
            for (const auto& [client, entries] : lengths) {
                REQUIRE(oracle_.in_service[client] >= limits_.per_client);
            }
        }
        size_t active = lengths.size();
        for (const auto& [client, count] : oracle_.in_service)
            active += count > 0 && !lengths.contains(client);
        REQUIRE(last_.clients == active);
    }

    void drain() {
        while (!places_.empty() || !served_.empty()) {
            leave(pick(places_));
            compare();
            end(pick(served_), true);
            compare();
        }
        REQUIRE(last_.in_service == 0);
        REQUIRE(last_.waiting == 0);
        REQUIRE(last_.clients == 0);
        REQUIRE(last_.admitted == last_.completed + last_.abandoned);
    }

    std::mt19937 random_;
    Shape shape_;
    Time now_{1000s};
    Time seen_ = now_;  ///< the latest time that the group was told
    ConcurrencyLimits limits_;
    QueueOracle oracle_;
    std::vector<int> answered_;
    ConcurrencyGroup group_;
    Requests places_;  ///< not claimed yet
    Requests served_;
    size_t compared_ = 0;
    std::map<int, Time> granted_at_;
    int next_id_ = 0;
    uint64_t completed_ = 0;
    uint64_t abandoned_ = 0;
    uint64_t left_ = 0;
    std::array<uint64_t, kQueueReasons> refused_{};
    ConcurrencyFigures last_;
};

/// What all traces of a test together have brought about, so that none is vacuous.
struct Coverage {
    uint64_t admitted = 0;
    std::array<uint64_t, kQueueReasons> refused{};
};

void play(const Shape& shape, int traces, int steps) {
    const auto first_seed = std::random_device{}();
    Coverage seen;
    for (int i = 0; i < traces; ++i) {
        const uint32_t seed = first_seed + static_cast<uint32_t>(i);
        CAPTURE(seed);
        Trace trace(seed, shape);
        trace.run(steps);
        seen.admitted += trace.last().admitted;
        for (size_t reason = 0; reason < kQueueReasons; ++reason) {
            seen.refused[reason] += trace.last().refused[reason];
        }
    }
    CHECK(seen.admitted > 0);
    CHECK(seen.refused[static_cast<size_t>(QueueReason::queue_full)] > 0);
    CHECK(seen.refused[static_cast<size_t>(QueueReason::queue_timeout)] > 0);
    CHECK(seen.refused[static_cast<size_t>(QueueReason::predicted_wait)] > 0);
}

TEST_CASE("after any history, the group decides as a naive model of its rules does: few clients") {
    play({.clients = 4, .most_slots = 6, .most_entries = 12, .most_bytes = 4000, .arrivals_in_ten = 5}, 60,
         1500);
}

TEST_CASE("after any history, the group decides as a naive model of its rules does: a crowd") {
    play({.clients = 40, .most_slots = 10, .most_entries = 120, .most_bytes = 60000, .arrivals_in_ten = 7}, 8,
         1500);
}

TEST_CASE("after any history, the group decides as a naive model of its rules does: short of memory") {
    play({.clients = 8, .most_slots = 4, .most_entries = 80, .most_bytes = 2500, .arrivals_in_ten = 6}, 40,
         1500);
}

}  // namespace
}  // namespace weir::policy
