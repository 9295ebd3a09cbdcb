// Whole populations of clients in virtual time: what the rules are for.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

#include "policy/concurrency_group.h"
#include "policy/queue_simulation.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

constexpr ClientKey kNoisy = 1;
constexpr ClientKey kFirstPolite = 100;

/// One address keeps 200 requests under way; each of 20 others thinks for about a second between two.
class Neighbourhood {
  public:
    Neighbourhood(uint32_t seed, const ConcurrencyLimits& limits) : random_(seed), app_(events_, limits) {}

    void run(Duration time) {
        end_ = events_.now() + time;
        for (int i = 0; i < 200; ++i) shout();
        for (ClientKey polite = kFirstPolite; polite < kFirstPolite + 20; ++polite) think(polite);
        events_.run_until(end_ + 1min);
    }

    std::vector<Duration> polite_waits;
    uint64_t polite_refused = 0;
    uint64_t completed_in_time = 0;

  private:
    static constexpr Duration kService = 50ms;

    void count() { completed_in_time += events_.now() <= end_; }
    void shout() {
        if (events_.now() >= end_) return;
        app_.send(kNoisy, kService, [this](const Journey& journey) {
            if (!journey.refused) {
                count();
                shout();
            } else {
                events_.after(5ms, [this] { shout(); });
            }
        });
    }
    void think(ClientKey polite) {
        const Duration pause = std::chrono::microseconds(500'000 + random_() % 1'000'000);
        events_.after(pause, [this, polite] {
            if (events_.now() >= end_) return;
            app_.send(polite, kService, [this, polite](const Journey& journey) {
                if (journey.refused) {
                    ++polite_refused;
                } else {
                    count();
                    polite_waits.push_back(journey.waited);
                }
                think(polite);
            });
        });
    }

    std::mt19937 random_;
    EventQueue events_;
    SimulatedApp app_;
    Time end_{};
};

void noisy_neighbour(const FairQueue::Bounds& queue, Duration wait) {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    Neighbourhood neighbourhood(seed, {.slots = 4, .queue = queue, .wait = wait});
    neighbourhood.run(60s);
    const double goodput = static_cast<double>(neighbourhood.completed_in_time) / 60.0;
    CHECK(neighbourhood.polite_waits.size() > 1000);
    CHECK(percentile(neighbourhood.polite_waits, 0.99) <= 75ms);
    CHECK(neighbourhood.polite_refused == 0);
    CHECK(goodput >= 80 * 0.99);
}

TEST_CASE(
    "an address with 200 connections costs a polite client about one service time, and nobody goodput") {
    SUBCASE("all of them fit into the queue") { noisy_neighbour({1000, 1 << 30}, 30s); }
    SUBCASE("they fill the queue") { noisy_neighbour({100, 1 << 30}, 5s); }
    SUBCASE("they are refused by prediction") { noisy_neighbour({1000, 1 << 30}, 1s); }
    SUBCASE("they fill its memory") { noisy_neighbour({1000, 50'000}, 5s); }
}

/// Bursts of random sizes from random clients, each request as long as every other.
struct Bursts {
    uint32_t seed = 0;
    uint32_t slots = 0;
    uint32_t per_client = ConcurrencyLimits::kUnbounded;
    uint32_t clients = 0;
    Duration service{};
};

struct Errors {
    double longest = -1e9;  ///< prediction beyond what came true, in service times
    uint64_t predictions = 0;
};

Errors prediction_errors(const Bursts& bursts) {
    std::mt19937 random(bursts.seed);
    EventQueue events;
    SimulatedApp app(
        events,
        {.slots = bursts.slots, .per_client = bursts.per_client, .queue = {100'000, 1 << 30}, .wait = 24h});
    Errors errors;
    const auto unit = static_cast<double>(bursts.service.count());
    const auto done = [&](const Journey& journey) {
        REQUIRE_FALSE(journey.refused);
        if (!journey.predicted) return;
        const double error = static_cast<double>((*journey.predicted - journey.waited).count()) / unit;
        errors.longest = std::max(errors.longest, error);
        ++errors.predictions;
    };
    for (uint32_t i = 0; i < WaitPredictor::kEnough; ++i) app.send(i, bursts.service, done);
    events.run_until(events.now() + 1h);
    for (int i = 0; i < 1000; ++i) {
        const ClientKey client = random() % bursts.clients;
        for (uint32_t size = 1 + random() % 8; size > 0; --size) app.send(client, bursts.service, done);
        const auto pause = static_cast<int64_t>(random() % 1000) * bursts.service / bursts.slots / 100;
        events.run_until(events.now() + pause);
    }
    events.run_until(events.now() + 24h);
    return errors;
}

TEST_CASE("of requests that take equally long, none is predicted to wait over two service times too long") {
    const auto first_seed = std::random_device{}();
    for (uint32_t i = 0; i < 20; ++i) {
        std::mt19937 random(first_seed + i);
        const auto upto = [&random](uint32_t most) { return 1 + static_cast<uint32_t>(random() % most); };
        Bursts bursts{.seed = first_seed + i, .slots = upto(30), .clients = upto(40)};
        bursts.service = std::chrono::milliseconds(upto(500));
        if (upto(2) == 1) bursts.per_client = upto(bursts.slots);
        CAPTURE(bursts.seed);
        const Errors errors = prediction_errors(bursts);
        CHECK(errors.predictions > 100);
        CHECK(errors.longest <= 2.0);
    }
}

}  // namespace
}  // namespace weir::policy
