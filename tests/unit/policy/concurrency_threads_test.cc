// Several workers on one group at once. Says the more under a thread sanitizer.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "policy/concurrency_group.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t kSlots = 7;

/// What all workers have in common.
struct Town {
    ConcurrencyGroup group;
    std::atomic<int> inside = 0;
    std::atomic<int64_t> microseconds = 0;

    Time tick() { return Time{1000s} + std::chrono::microseconds(microseconds.fetch_add(1)); }
};

/// Owns places and permits, gets its letters under a lock of its own, and does at random whatever it may.
class Worker {
  public:
    Worker(Town& town, uint32_t seed) : town_(town), group_(town.group), random_(seed) {}

    void run(int steps) {
        for (int step = 0; step < steps; ++step) {
            now_ = town_.tick();
            switch (random_() % 8) {
                case 0:
                case 1:
                case 2: arrive(); break;
                case 3: give_up(); break;
                case 4: end(); break;
                default: read_letters(); break;
            }
            if (step % 16 == 0) std::this_thread::yield();  // few cores would run one worker after the other
        }
        while (!served_.empty()) end();
        requests_.clear();
    }
    [[nodiscard]] bool ever_above() const { return ever_above_; }
    [[nodiscard]] uint64_t answers() const { return answers_; }

  private:
    struct Request {
        Request(Worker& worker, uint64_t number)
            : owner(worker), id(number), place(&Request::answered, this) {}
        static void answered(void* request) noexcept {
            auto& self = *static_cast<Request*>(request);
            const std::lock_guard lock(self.owner.letters_mutex_);
            self.owner.letters_.push_back(self.id);
        }
        Worker& owner;
        uint64_t id;
        Place place;
    };

    void arrive() {
        auto request = std::make_unique<Request>(*this, next_id_++);
        const Arrival arrival{.client = random_() % 5, .bytes = 1, .deadline = now_ + 20ms};
        Verdict verdict = group_.acquire(request->place, arrival, now_);
        if (std::holds_alternative<Waiting>(verdict)) {
            requests_.push_back(std::move(request));
        } else {
            take(std::move(verdict));
        }
    }

    void take(Verdict verdict) {
        auto* permit = std::get_if<Permit>(&verdict);
        if (permit == nullptr) return;
        if (town_.inside.fetch_add(1) >= static_cast<int>(kSlots)) ever_above_ = true;
        served_.push_back(std::move(*permit));
    }

    void end() {
        if (served_.empty()) return;
        town_.inside.fetch_sub(1);
        Permit permit = std::move(served_.front());
        served_.pop_front();
        if (random_() % 4 != 0) permit.settle(now_);
    }

    /// While others may be granting it a slot.
    void give_up() {
        if (requests_.empty()) return;
        const auto request = std::move(requests_[random_() % requests_.size()]);
        std::erase(requests_, nullptr);
        switch (random_() % 3) {
            case 0: return take(group_.expire(request->place, now_ + 10ms));
            case 1: return group_.leave(request->place, now_);
            default: return;  // its destructor leaves
        }
    }

    void read_letters() {
        std::deque<uint64_t> letters;
        {
            const std::lock_guard lock(letters_mutex_);
            letters.swap(letters_);
        }
        for (const uint64_t id : letters) {
            ++answers_;
            const auto found = std::find_if(requests_.begin(), requests_.end(),
                                            [id](const auto& request) { return request->id == id; });
            if (found == requests_.end()) continue;  // gone before the letter came
            const auto request = std::move(*found);
            requests_.erase(found);
            Verdict verdict = group_.claim(request->place);
            if (std::holds_alternative<Waiting>(verdict)) ever_above_ = true;  // answered means answered
            take(std::move(verdict));
        }
    }

    Town& town_;
    ConcurrencyGroup& group_;
    std::mt19937 random_;
    Time now_{};
    std::mutex letters_mutex_;
    std::deque<uint64_t> letters_;
    std::vector<std::unique_ptr<Request>> requests_;
    std::deque<Permit> served_;
    uint64_t next_id_ = 0;
    uint64_t answers_ = 0;
    bool ever_above_ = false;
};

TEST_CASE("whatever workers do at the same time, no slot is lost or given twice") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    const ConcurrencyLimits limits{.slots = kSlots, .per_client = 4, .queue = {20, 1000}, .wait = 10ms};
    Town town{.group = ConcurrencyGroup(limits)};
    ConcurrencyGroup& group = town.group;
    std::vector<std::unique_ptr<Worker>> workers;
    for (uint32_t i = 0; i < 4; ++i) workers.push_back(std::make_unique<Worker>(town, seed + i));
    {
        std::vector<std::jthread> threads;
        for (auto& worker : workers) threads.emplace_back([&worker] { worker->run(20'000); });
        threads.emplace_back([&group, limits] {
            for (uint32_t i = 0; i < 2000; ++i) {
                auto changed = limits;
                changed.slots = i % kSlots;
                group.set_limits(changed, Time{});
                CHECK_FALSE(group.figures().in_service > kSlots);
                group.set_limits(limits, Time{});
            }
        });
    }
    uint64_t answers = 0;
    for (const auto& worker : workers) {
        CHECK_FALSE(worker->ever_above());
        answers += worker->answers();
    }
    const auto figures = group.figures();
    CHECK(answers > 1000);
    CHECK(town.inside == 0);
    CHECK(figures.in_service == 0);
    CHECK(figures.waiting == 0);
    CHECK(figures.clients == 0);
    CHECK(figures.admitted == figures.completed + figures.abandoned);
    CHECK(figures.arrivals ==
          figures.admitted + figures.left + figures.refused[0] + figures.refused[1] + figures.refused[2]);
}

}  // namespace
}  // namespace weir::policy
