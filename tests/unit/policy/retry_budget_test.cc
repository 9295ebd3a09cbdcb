#include "policy/retry_budget.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <thread>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1000s};
constexpr Duration kSlack = 500ms;  ///< by how much the window may be short

int taken(RetryBudget& budget, Time now, int asked) {
    int given = 0;
    for (int i = 0; i < asked; ++i) given += budget.take(now) ? 1 : 0;
    return given;
}

TEST_CASE("a share of the requests may be sent again, and no more") {
    RetryBudget budget(20, 1);
    for (int i = 0; i < 1000; ++i) budget.note_request(0, kStart);
    CHECK(taken(budget, kStart, 1000) == 200);
    CHECK(budget.figures(kStart).requests == 1000);
    CHECK(budget.figures(kStart).retries == 200);
}

TEST_CASE("requests and retries are forgotten after ten seconds, not before nine and a half") {
    RetryBudget budget(20, 1);
    for (int i = 0; i < 1000; ++i) budget.note_request(0, kStart);
    CHECK(budget.figures(kStart + 9s).requests == 1000);
    CHECK(taken(budget, kStart + 9400ms, 1000) == 200);
    CHECK(budget.figures(kStart + 10s).requests == 0);
    CHECK(taken(budget, kStart + 11s, 1000) == 3);
    CHECK(budget.figures(kStart + 19400ms + kSlack).retries == 3);
}

TEST_CASE("three in a second are given however few requests there are, and again in the next") {
    RetryBudget budget(1, 1);
    CHECK(taken(budget, kStart, 10) == 3);
    CHECK(taken(budget, kStart + 400ms, 10) == 0);
    CHECK(taken(budget, kStart + 1s, 10) == 3);
    CHECK(taken(budget, kStart + 1900ms, 10) == 0);
    CHECK(taken(budget, kStart + 2s, 10) == 3);
}

TEST_CASE("a share of nothing is nothing, and a share of all is all") {
    RetryBudget none(0, 1);
    RetryBudget all(100, 1);
    for (int i = 0; i < 1000; ++i) none.note_request(0, kStart);
    for (int i = 0; i < 1000; ++i) all.note_request(0, kStart);
    CHECK(taken(none, kStart, 10) == 0);
    CHECK(taken(all, kStart, 2000) == 1000);
}

TEST_CASE("the requests of all workers count together") {
    RetryBudget budget(20, 4);
    for (size_t worker = 0; worker < 4; ++worker)
        for (int i = 0; i < 250; ++i) budget.note_request(worker, kStart + worker * 1ms);
    CHECK(taken(budget, kStart, 1000) == 200);
}

TEST_CASE("a worker whose time is a little ahead takes nothing away from the others") {
    RetryBudget budget(20, 2);
    for (int i = 0; i < 1000; ++i) budget.note_request(0, kStart);
    for (int i = 0; i < 1000; ++i) budget.note_request(1, kStart + 1s);
    CHECK(taken(budget, kStart, 1000) == 200);
    CHECK(taken(budget, kStart + 1s, 1000) == 200);
}

TEST_CASE("a budget that was idle for hours, and one at the beginning of time, count from nothing") {
    for (const Time now : {Time{}, Time{1ns}, kStart + 100h}) {
        RetryBudget budget(50, 1);
        CHECK(budget.figures(now).requests == 0);
        CHECK(budget.figures(now).retries == 0);
        for (int i = 0; i < 16; ++i) budget.note_request(0, now);
        CHECK(taken(budget, now, 100) == 8);
        CHECK(budget.figures(now + 16s).requests == 0);
    }
}

TEST_CASE("at no time are there more retries than the share and three for each second") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 30; ++round) {
        const auto percent = static_cast<unsigned>(1 + random() % 100);
        RetryBudget budget(percent, 2);
        std::deque<Time> requests, retries;
        Time now = kStart;
        auto since = [&](const std::deque<Time>& all, Duration window) {
            return static_cast<uint64_t>(
                std::count_if(all.begin(), all.end(), [&](Time each) { return each > now - window; }));
        };
        const uint64_t share_of_failures = random() % 101;
        for (int step = 0; step < 3000; ++step) {
            now += std::chrono::microseconds(random() % (step % 500 < 250 ? 2'000 : 200'000));
            requests.push_back(now);
            budget.note_request(random() % 2, now);
            if (random() % 100 >= share_of_failures) continue;
            const uint64_t before = since(retries, 10s - kSlack);
            const uint64_t last_second = since(retries, 1s - kSlack);
            const bool given = budget.take(now);
            if (given) retries.push_back(now);
            // The window that the budget keeps lies between these two.
            const bool must = (since(retries, 10s) + 1 - (given ? 1 : 0)) * 100 <=
                                  since(requests, 10s - kSlack) * percent ||
                              since(retries, 1s) - (given ? 1 : 0) < RetryBudget::kLeastInSecond;
            const bool may = (before + 1) * 100 <= since(requests, 10s) * percent ||
                             last_second < RetryBudget::kLeastInSecond;
            REQUIRE(given <= may);
            REQUIRE(given >= must);
        }
    }
}

TEST_CASE("workers count while others ask, and no request is lost") {
    RetryBudget budget(10, 4);
    std::atomic<uint64_t> given{0};
    {
        std::vector<std::thread> threads;
        for (size_t worker = 0; worker < 4; ++worker)
            threads.emplace_back([&, worker] {
                for (int i = 0; i < 20'000; ++i) {
                    budget.note_request(worker, kStart);
                    if (i % 5 == 0 && budget.take(kStart)) ++given;
                }
            });
        for (std::thread& thread : threads) thread.join();
    }
    CHECK(budget.figures(kStart).requests == 80'000);
    CHECK(budget.figures(kStart).retries == given);
    CHECK(given <= 8'000);
    CHECK(given >= 3);
}

}  // namespace
}  // namespace weir::policy
