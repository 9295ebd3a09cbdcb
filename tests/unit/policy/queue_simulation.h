// An app with slots, clients that call it, and time that passes only as events do.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "policy/concurrency_group.h"

namespace weir::policy {

using namespace std::chrono_literals;

/// Runs what is scheduled, in the order of time and, at one time, of scheduling.
class EventQueue {
  public:
    [[nodiscard]] Time now() const { return now_; }
    void at(Time time, std::function<void()> what) { events_.push({time, number_++, std::move(what)}); }
    void after(Duration wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }
    void run_until(Time end) {
        while (!events_.empty() && events_.top().time <= end) {
            const Event next = events_.top();
            events_.pop();
            now_ = next.time;
            next.what();
        }
        now_ = end;
    }

  private:
    struct Event {
        Time time;
        uint64_t number;
        std::function<void()> what;
        bool operator<(const Event& other) const {  // a priority_queue has the greatest at its top
            return time != other.time ? time > other.time : number > other.number;
        }
    };
    std::priority_queue<Event> events_;
    uint64_t number_ = 0;
    Time now_{1000s};
};

/// What became of one request.
struct Journey {
    ClientKey client = 0;
    std::optional<QueueReason> refused;
    Duration waited{};
    std::optional<Duration> predicted;
};

/// Sends requests through a group into an app that takes as long as it is told; each ends in `done`.
class SimulatedApp {
  public:
    using Done = std::function<void(const Journey&)>;

    SimulatedApp(EventQueue& events, const ConcurrencyLimits& limits) : events_(events), group_(limits) {}
    [[nodiscard]] ConcurrencyGroup& group() { return group_; }

    void send(ClientKey client, Duration service, Done done) {
        auto& request =
            *requests_.emplace_back(std::make_unique<Request>(*this, client, service, std::move(done)));
        handle(request, group_.acquire(request.place, {.client = client, .bytes = 1000}, events_.now()));
    }

  private:
    struct Request {
        Request(SimulatedApp& app, ClientKey client, Duration takes, Done then)
            : owner(app), service(takes), done(std::move(then)), place(&Request::answered, this) {
            journey.client = client;
            began = owner.events_.now();
        }
        static void answered(void* request) noexcept {
            auto& self = *static_cast<Request*>(request);
            self.owner.events_.after(0ns, [&self] {
                if (self.place.is_taken()) self.owner.handle(self, self.owner.group_.claim(self.place));
            });
        }
        SimulatedApp& owner;
        Duration service;
        Done done;
        Journey journey;
        Time began;
        Permit permit;
        Place place;
    };

    void handle(Request& request, Verdict verdict) {
        if (const auto* waiting = std::get_if<Waiting>(&verdict)) {
            request.journey.predicted = waiting->predicted;
            events_.at(waiting->until, [this, &request] {
                if (request.place.is_taken()) handle(request, group_.expire(request.place, events_.now()));
            });
            return;
        }
        request.journey.waited = events_.now() - request.began;
        if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
            request.journey.refused = refusal->reason;
            return request.done(request.journey);
        }
        request.permit = std::get<Permit>(std::move(verdict));
        events_.after(request.service, [this, &request] {
            request.permit.settle(events_.now());
            request.done(request.journey);
        });
    }

    EventQueue& events_;
    ConcurrencyGroup group_;
    std::vector<std::unique_ptr<Request>> requests_;  ///< all, to the end
};

inline Duration percentile(std::vector<Duration> values, double part) {
    REQUIRE_FALSE(values.empty());
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace weir::policy
