// Prints what one request costs in the concurrency group. Build with -O2; arguments: none.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "policy/concurrency_group.h"

namespace {

using weir::policy::Arrival;
using weir::policy::ConcurrencyGroup;
using weir::policy::ConcurrencyLimits;
using weir::policy::Permit;
using weir::policy::Place;
using weir::policy::Verdict;
using weir::policy::Waiting;

constexpr int kRounds = 7;
constexpr int kOperations = 200'000;
constexpr weir::Time kNow{std::chrono::seconds(1000)};

ConcurrencyLimits limits(uint32_t slots, size_t entries) {
    return {.slots = slots, .queue = {entries, SIZE_MAX}, .wait = std::chrono::hours(24)};
}

/// The best of some rounds, in nanoseconds an operation.
template <class Operation>
double best_of_rounds(Operation operation) {
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
        const auto begin = weir::monotonic_now();
        for (int i = 0; i < kOperations; ++i) operation();
        const std::chrono::duration<double, std::nano> spent = weir::monotonic_now() - begin;
        best = std::min(best, spent.count() / kOperations);
    }
    return best;
}

void ignore(void*) noexcept {}

/// Well mixed, as a client's hash is.
weir::policy::ClientKey key_of(uint64_t client) { return client * 0x9E3779B97F4A7C15ULL; }

/// A crowd of places that wait, in random order of memory and clients.
class Crowd {
  public:
    Crowd(ConcurrencyGroup& group, size_t waiting, size_t clients) : group_(group), clients_(clients) {
        for (size_t i = 0; i < waiting + 1; ++i) spare_.push_back(std::make_unique<Place>(&ignore, nullptr));
        while (spare_.size() > 1) join();
    }
    ~Crowd() {
        for (const auto& place : waiting_) group_.leave(*place, kNow);
    }

    void join() {
        auto place = std::move(spare_.back());
        spare_.pop_back();
        const auto verdict = group_.acquire(*place, {.client = key_of(random_() % clients_)}, kNow);
        if (!std::holds_alternative<Waiting>(verdict)) std::abort();
        waiting_.push_back(std::move(place));
    }
    /// Somebody among those who wait goes.
    void leave() {
        std::swap(waiting_[random_() % waiting_.size()], waiting_.back());
        group_.leave(*waiting_.back(), kNow);
        spare_.push_back(std::move(waiting_.back()));
        waiting_.pop_back();
    }

  private:
    ConcurrencyGroup& group_;
    size_t clients_;
    std::mt19937_64 random_{1};
    std::vector<std::unique_ptr<Place>> waiting_;
    std::vector<std::unique_ptr<Place>> spare_;
};

void measure_free() {
    ConcurrencyGroup group(limits(100, 100));
    Place place(&ignore, nullptr);
    uint64_t client = 0;
    const double cost = best_of_rounds([&] {
        Verdict verdict = group.acquire(place, {.client = key_of(++client % 64)}, kNow);
        std::get<Permit>(verdict).settle(kNow);
    });
    std::printf("no wait: acquire + settle                        %7.1f ns\n", cost);
}

void measure_contended(unsigned threads) {
    ConcurrencyGroup group(limits(100, 100));
    const auto begin = weir::monotonic_now();
    {
        std::vector<std::jthread> workers;
        for (unsigned i = 0; i < threads; ++i) {
            workers.emplace_back([&group, i] {
                Place place(&ignore, nullptr);
                for (uint64_t n = 0; n < kOperations; ++n) {
                    Verdict verdict = group.acquire(place, {.client = key_of(i * 100 + n % 64)}, kNow);
                    std::get<Permit>(verdict).settle(kNow);
                }
            });
        }
    }
    const std::chrono::duration<double, std::nano> spent = weir::monotonic_now() - begin;
    std::printf("no wait, %u threads that do nothing else           %7.1f ns a request, all together\n",
                threads, spent.count() / kOperations / threads);
}

void measure_refused() {
    ConcurrencyGroup group(limits(0, 100));
    Crowd crowd(group, 100, 100);
    Place place(&ignore, nullptr);
    const double cost = best_of_rounds([&] {
        const Verdict verdict = group.acquire(place, {.client = key_of(1)}, kNow);
        if (verdict.index() == 0) std::abort();
    });
    std::printf("queue full: refused                              %7.1f ns\n", cost);
}

void measure_leaving(size_t waiting, size_t clients) {
    ConcurrencyGroup group(limits(0, waiting + 1));
    Crowd crowd(group, waiting, clients);
    const double cost = best_of_rounds([&] {
        crowd.join();
        crowd.leave();
    });
    std::printf("%6zu waiting of %5zu clients: join + leave        %7.1f ns\n", waiting, clients, cost);
}

/// Each request ends, which grants the one whose turn it is, and its client sends the next.
class Closed {
  public:
    Closed(size_t waiting, size_t clients) : group_(limits(kSlots, waiting + kSlots)), clients_(clients) {
        for (size_t i = 0; i < waiting + kSlots; ++i) {
            auto& request = requests_.emplace_back(*this, key_of(random_() % clients_));
            send(request);
        }
    }
    ~Closed() {
        group_.set_limits(limits(0, 0), kNow);
        served_.clear();
        requests_.clear();
    }
    void turn() {
        Request& ends = *served_.front().second;
        Permit permit = std::move(served_.front().first);
        served_.pop_front();
        permit.settle(kNow);
        Request& starts = *std::exchange(granted_, nullptr);
        served_.emplace_back(std::get<Permit>(group_.claim(starts.place)), &starts);
        send(ends);
    }

  private:
    static constexpr uint32_t kSlots = 4;
    struct Request {
        Request(Closed& app, weir::policy::ClientKey key) : owner(app), client(key) {}
        static void answered(void* request) noexcept {
            auto& self = *static_cast<Request*>(request);
            self.owner.granted_ = &self;
        }
        Closed& owner;
        weir::policy::ClientKey client;
        Place place{&Request::answered, this};
    };
    void send(Request& request) {
        Verdict verdict = group_.acquire(request.place, {.client = request.client}, kNow);
        if (auto* permit = std::get_if<Permit>(&verdict)) served_.emplace_back(std::move(*permit), &request);
    }

    ConcurrencyGroup group_;
    size_t clients_;
    std::mt19937_64 random_{1};
    std::deque<Request> requests_;
    std::deque<std::pair<Permit, Request*>> served_;
    Request* granted_ = nullptr;
};

void measure_turning(size_t waiting, size_t clients) {
    Closed closed(waiting, clients);
    const double cost = best_of_rounds([&] { closed.turn(); });
    std::printf("%6zu waiting of %5zu clients: wait, grant, settle %7.1f ns\n", waiting, clients, cost);
}

}  // namespace

int main() {
    std::printf("a place %zu bytes, a permit %zu, a client's record %zu\n", sizeof(Place), sizeof(Permit),
                sizeof(weir::policy::FairClient));
    // A process with a second thread, as weir is one: with a single one, locks cost next to nothing.
    std::mutex mutex;
    std::unique_lock lock(mutex);
    const std::jthread other([&mutex] { const std::lock_guard until_the_end(mutex); });
    measure_free();
    measure_contended(2);
    measure_contended(4);
    measure_refused();
    for (const size_t waiting : {size_t{10}, size_t{1000}, size_t{10'000}}) {
        for (const size_t clients : {size_t{1}, waiting / 5, waiting}) measure_leaving(waiting, clients);
        for (const size_t clients : {size_t{1}, waiting / 5, waiting}) measure_turning(waiting, clients);
    }
    lock.unlock();
    return 0;
}
