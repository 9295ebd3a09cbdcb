#include "policy/rate_rule.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "admitted_log.h"
#include "random_source.h"

namespace weir::policy {
namespace {

using http::RandomSource;
using namespace std::chrono_literals;

constexpr Time kStart{1000s};

std::vector<Quota> quotas(std::span<const RateAsk> asks, Time now) {
    RateHold hold(asks, now);
    std::vector<Quota> all;
    for (size_t ask = 0; ask < asks.size(); ++ask) all.push_back(hold.quota(ask));
    return all;
}

bool send(std::span<const RateAsk> asks, Time now) {
    RateHold hold(asks, now);
    if (hold.admits()) hold.charge();
    return hold.admits();
}

}  // namespace

TEST_CASE("several rules are all charged or none, each keeps its limit, and Retry-After is exact") {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 60; ++trial) {
        const RateSpec quick{static_cast<uint32_t>(1 + random.below(10)), 1s};
        const RateSpec slow{static_cast<uint32_t>(1 + random.below(300)), 10s};
        const RateSpec refill{static_cast<uint32_t>(1 + random.below(10)), 1s};
        RateRule a({quick, {}}, 100);
        RateRule b({slow, {}}, 100);
        RateRule c({refill, 10}, 100);
        AdmittedLog log_a;
        AdmittedLog log_b;
        AdmittedLog log_c;
        Time now = kStart;
        for (int request = 0; request < 300; ++request) {
            now += Duration{static_cast<Time::rep>(random.below(200'000'000))};
            const auto cost = static_cast<uint32_t>(1 + random.below(quick.count));
            const std::array<RateAsk, 3> asks{{{&b, 7, cost}, {&a, 7, 1}, {&c, 7, 1}}};
            const auto before = quotas(asks, now);
            Time retry_at = now;
            if (!send(asks, now)) {
                RateHold hold(asks, now);
                retry_at = hold.retry_at();
                REQUIRE(!hold.admits(hold.refusing()));
                REQUIRE(hold.admit_at(hold.refusing()) == retry_at);
            }
            if (retry_at == kNever) {
                REQUIRE(cost > slow.count);
                continue;
            }
            if (retry_at != now) {
                const auto after = quotas(asks, now);
                for (size_t ask = 0; ask < 3; ++ask) REQUIRE(after[ask].remaining == before[ask].remaining);
                if (random.one_in(2)) continue;
                now = retry_at;
                REQUIRE(!send(asks, now - 1ns));
                const auto at_last = quotas(asks, now);
                REQUIRE(send(asks, now));
                REQUIRE(quotas(asks, now)[0].remaining + cost == at_last[0].remaining);
                REQUIRE(quotas(asks, now)[1].remaining + 1 == at_last[1].remaining);
                REQUIRE(quotas(asks, now)[2].remaining + 1 == at_last[2].remaining);
            }
            log_a.add(now, 1);
            log_b.add(now, cost);
            REQUIRE(log_a.cost_within(quick.window, now) <= quick.count);
            REQUIRE(log_b.cost_within(slow.window, now) <= slow.count);
            REQUIRE(log_c.bucket_allows(refill, 10, now, 1));
            log_c.add(now, 1);
        }
    }
}

TEST_CASE("the rule that admits last is the one that refuses") {
    RateRule minute({{2, 1min}, {}}, 10);
    RateRule hour({{2, 1h}, {}}, 10);
    const std::array<RateAsk, 2> asks{{{&minute, 1, 1}, {&hour, 1, 1}}};
    REQUIRE(send(asks, kStart));
    REQUIRE(send(asks, kStart));
    RateHold hold(asks, kStart + 1s);
    CHECK(!hold.admits());
    CHECK(hold.refusing() == 1);
    CHECK(hold.retry_at() == kStart + 1h);
    CHECK(hold.admit_at(0) == kStart + 1min);
}

TEST_CASE("a cost above the limit is refused for good, and the rule says what it allows") {
    RateRule window({{5, 1min}, {}}, 10);
    RateRule bucket({{5, 1min}, 8}, 10);
    CHECK(window.most_cost() == 5);
    CHECK(bucket.most_cost() == 8);
    const std::array<RateAsk, 2> asks{{{&window, 1, 6}, {&bucket, 1, 6}}};
    RateHold hold(asks, kStart);
    CHECK(!hold.admits());
    CHECK(hold.admits(1));
    CHECK(hold.retry_at() == kNever);
}

TEST_CASE("limits of every size count exactly") {
    for (const uint32_t limit : {2U, 255U, 256U, 65'535U, 65'536U, 4'294'967'295U}) {
        INFO("limit " << limit);
        RateRule rule({{limit, 1min}, std::nullopt}, 10);
        const RateAsk most{&rule, 1, limit - 1};
        const RateAsk one{&rule, 1, 1};
        REQUIRE(send({&most, 1}, kStart));
        REQUIRE(send({&one, 1}, kStart + 30s));
        CHECK(!send({&one, 1}, kStart + 1min - 1ns));
        CHECK(quotas({&one, 1}, kStart + 1min)[0].remaining == limit - 1);
        CHECK(send({&most, 1}, kStart + 1min));
        CHECK(!send({&one, 1}, kStart + 1min));
        // All at one instant, which is the most that one counter holds.
        const RateAsk other_most{&rule, 2, limit - 1};
        const RateAsk other_one{&rule, 2, 1};
        REQUIRE(send({&other_most, 1}, kStart + 1h));
        REQUIRE(send({&other_one, 1}, kStart + 1h));
        CHECK(quotas({&other_one, 1}, kStart + 1h + 1min - 1ns)[0].remaining == 0);
        CHECK(!send({&other_one, 1}, kStart + 1h + 1min - 1ns));
        CHECK(quotas({&other_one, 1}, kStart + 1h + 1min)[0].remaining == limit);
    }
}

TEST_CASE("a hold that goes without charging was never there; no rules admit everything") {
    RateRule rule({{1, 1min}, {}}, 10);
    const RateAsk ask{&rule, 1, 1};
    for (int i = 0; i < 3; ++i) CHECK(RateHold({&ask, 1}, kStart).admits());
    CHECK(rule.figures().size == 0);
    CHECK(send({&ask, 1}, kStart));
    CHECK(!send({&ask, 1}, kStart));
    RateHold none({}, kStart);
    CHECK(none.admits());
    none.charge();
}

TEST_CASE("every size of limit keeps its memory bound") {
    CHECK(RateRule({{255, 1min}, {}}, 100'000).memory_bytes() <= 96 * 100'000);
    CHECK(RateRule({{65'535, 1min}, {}}, 100'000).memory_bytes() <= 96 * 100'000);
    CHECK(RateRule({{65'536, 1min}, {}}, 100'000).memory_bytes() <= 160 * 100'000);
    CHECK(RateRule({{10, 1s}, 20}, 100'000).memory_bytes() <= 96 * 100'000);
    CHECK(RateRule({{10, 1s}, {}}, 100'000).keys() == 100'000);
}

namespace {

constexpr int kThreads = 4;
constexpr uint64_t kClientsEach = 500;
constexpr int kSteps = 40;

struct TwoRules {
    explicit TwoRules(size_t keys)
        : quick({{5, 1s}, std::nullopt}, keys), slow({{20, 10s}, std::nullopt}, keys) {}

    RateRule quick;
    RateRule slow;
};

/// What the clients of one thread are told in one step of time.
void play(TwoRules& rules, uint64_t thread, int step, std::vector<bool>& decisions) {
    for (uint64_t client = 0; client < kClientsEach; ++client) {
        const uint64_t id = client * kThreads + thread;
        const uint64_t key = (id + 1) * 0x9e3779b97f4a7c15U;
        const std::array<RateAsk, 2> asks{{{&rules.quick, key, 1}, {&rules.slow, key, 1}}};
        for (uint64_t i = 0; i < 1 + id % 4; ++i) {
            decisions.push_back(send(asks, kStart + step * 173ms + Duration{client}));
        }
    }
}

}  // namespace

TEST_CASE("four threads with clients of their own decide as one thread does") {
    size_t keys = 0;
    SUBCASE("behind one lock") { keys = kThreads * kClientsEach; }
    SUBCASE("behind many") { keys = 65'536; }
    TwoRules together(keys);
    TwoRules alone(keys);
    std::array<std::vector<bool>, kThreads> by_thread;
    std::array<std::vector<bool>, kThreads> expected;
    for (int step = 0; step < kSteps; ++step) {
        for (uint64_t thread = 0; thread < kThreads; ++thread) play(alone, thread, step, expected[thread]);
    }
    std::barrier steps(kThreads);
    std::vector<std::jthread> threads;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (int step = 0; step < kSteps; ++step, steps.arrive_and_wait()) {
                play(together, thread, step, by_thread[thread]);
            }
        });
    }
    threads.clear();
    CHECK(by_thread == expected);
}

TEST_CASE("threads that ask for the same rules in any order neither block each other nor exceed a limit") {
    constexpr uint32_t kLimit = 1000;
    constexpr uint32_t kAsks = 50 * kLimit;  // refusals lock as well: long enough for the threads to meet
    RateRule a({{kLimit, 1h}, {}}, 10);
    RateRule b({{kLimit, 1h}, {}}, 10);
    RateRule c({{kLimit, 1h}, kLimit}, 10);
    std::atomic<uint32_t> admitted = 0;
    std::barrier begin(kThreads);
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            begin.arrive_and_wait();
            std::array<RateAsk, 3> asks{{{&a, 1, 1}, {&b, 1, 1}, {&c, 1, 1}}};
            std::rotate(asks.begin(), asks.begin() + thread % 3, asks.end());
            if (thread == 3) std::swap(asks[0], asks[1]);
            for (uint32_t i = 0; i < kAsks; ++i) admitted += send(asks, kStart) ? 1 : 0;
        });
    }
    threads.clear();
    CHECK(admitted == kLimit);
}

TEST_CASE("whoever holds all slots of a table gives the expired ones up for others") {
    constexpr size_t kCapacity = 3000;
    RateRule rule({{3, 1s}, {}}, kCapacity);
    const auto fill = [&](uint64_t lowest_bit, Time now) {
        for (uint64_t i = 1; i <= kCapacity; ++i) {
            const RateAsk ask{&rule, i * 0x9e3779b97f4a7c15U << 1U | lowest_bit, 3};
            REQUIRE(send({&ask, 1}, now));
        }
        CHECK(rule.figures().size == kCapacity);
    };
    fill(0, kStart);
    fill(1, kStart + 1h);
    fill(0, kStart + 2h);
    CHECK(rule.figures().shared == 0);
}

TEST_CASE("threads that flood a small table lose no slot") {
    constexpr size_t kCapacity = 3000;
    RateRule rule({{3, 1s}, {}}, kCapacity);
    std::vector<std::jthread> threads;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (uint64_t i = 0; i < 30'000; ++i) {
                const RateAsk ask{&rule, (i * kThreads + thread + 1) * 0x9e3779b97f4a7c15U, 1};
                send({&ask, 1}, kStart + i * 100us);
            }
        });
    }
    threads.clear();
    CHECK(rule.figures().size <= kCapacity);
    for (uint64_t i = 0; i < kCapacity; ++i) {
        const RateAsk ask{&rule, (i + 1) * 0xd6e8feb86659fd93U, 3};
        REQUIRE(send({&ask, 1}, kStart + 1h));
    }
    CHECK(rule.figures().size == kCapacity);
}

}  // namespace weir::policy
