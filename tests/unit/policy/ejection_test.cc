#include "policy/ejection.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <barrier>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using Standing = Ejections::Standing;

constexpr Time kStart{1000s};

config::Passive usual() { return {.failures = 5, .window = 10s, .eject = 10s, .max_eject = 60s}; }

/// The whole of one request.
bool ask(Ejections& all, size_t server, bool succeeds, Time now) {
    auto attempt = all.enter(server, now);
    return attempt && attempt->settle(succeeds, now);
}

bool fail_often(Ejections& all, size_t server, Time now, int times = 5) {
    bool has_changed = false;
    for (int i = 0; i < times; ++i) has_changed = ask(all, server, false, now);
    return has_changed;
}

TEST_CASE("failures in a row leave a server out, and one success between them does not") {
    Ejections all(usual(), 2);
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(fail_often(all, 0, kStart, 4));
        CHECK_FALSE(ask(all, 0, true, kStart));
    }
    CHECK(all.standing(0, kStart) == Standing::in);
    CHECK(fail_often(all, 0, kStart));
    CHECK(all.standing(0, kStart) == Standing::ejected);
    CHECK(all.standing(1, kStart) == Standing::in);
    CHECK_FALSE(all.enter(0, kStart).has_value());
    CHECK(all.ejected_until(0) == kStart + 10s);
    CHECK_FALSE(all.ejected_until(1).has_value());
}

TEST_CASE("failures count only where all of them lie in the window") {
    Ejections all(usual(), 2);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(ask(all, 0, false, kStart + i * 2501ms));
    const Time now = kStart + 1h;
    CHECK_FALSE(fail_often(all, 0, now, 1));
    CHECK_FALSE(fail_often(all, 0, now + 5s, 3));
    CHECK(fail_often(all, 0, now + 10s, 1));
}

TEST_CASE("after its time one request tries the server, and only one") {
    Ejections all(usual(), 2);
    fail_often(all, 0, kStart);
    CHECK(all.standing(0, kStart + 10s - 1ns) == Standing::ejected);
    CHECK(all.standing(0, kStart + 10s) == Standing::probe_due);
    auto probe = all.enter(0, kStart + 10s);
    REQUIRE(probe.has_value());
    CHECK(probe->is_probe());
    CHECK(all.standing(0, kStart + 1h) == Standing::ejected);
    CHECK_FALSE(all.enter(0, kStart + 1h).has_value());
    CHECK(probe->settle(true, kStart + 11s));
    CHECK(all.standing(0, kStart + 11s) == Standing::in);
    CHECK_FALSE(all.enter(0, kStart + 11s)->is_probe());
}

TEST_CASE("a probe that is dropped without an answer makes way for the next") {
    Ejections all(usual(), 2);
    fail_often(all, 0, kStart);
    const Time due = kStart + 10s;
    for (int i = 0; i < 3; ++i) {
        auto probe = all.enter(0, due);
        REQUIRE(probe.has_value());
        Attempt moved = std::move(*probe);
        probe.reset();
        CHECK(all.standing(0, due) == Standing::ejected);
        moved.drop();
        CHECK(all.standing(0, due) == Standing::probe_due);
    }
    Attempt last = std::move(*all.enter(0, due));
    last = Attempt();
    CHECK(all.standing(0, due) == Standing::probe_due);
}

TEST_CASE("each failed probe doubles the time, up to the longest, and a success ends it") {
    Ejections all(usual(), 2);
    Time now = kStart;
    fail_often(all, 0, now);
    for (const Duration length : {10s, 20s, 40s, 60s, 60s}) {
        CHECK(all.ejected_until(0) == now + length);
        now += length;
        CHECK(ask(all, 0, false, now));
    }
    now += 60s;
    CHECK(ask(all, 0, true, now));
    CHECK(all.standing(0, now) == Standing::in);
}

TEST_CASE("a server that fails again soon after it came back is left out for twice as long") {
    Ejections all(usual(), 2);
    fail_often(all, 0, kStart);
    const Time back = kStart + 10s;
    ask(all, 0, true, back);
    fail_often(all, 0, back + 10s - 1ns);
    CHECK(all.ejected_until(0) == back + 30s - 1ns);
    const Time again = back + 40s;
    ask(all, 0, true, again);
    fail_often(all, 0, again + 20s);
    CHECK(all.ejected_until(0) == again + 30s);
}

TEST_CASE("what began before an ejection changes nothing when it ends") {
    Ejections all(usual(), 2);
    auto good = all.enter(0, kStart);
    auto bad = all.enter(0, kStart);
    fail_often(all, 0, kStart);
    CHECK_FALSE(good->settle(true, kStart + 1s));
    CHECK_FALSE(bad->settle(false, kStart + 1s));
    CHECK(all.ejected_until(0) == kStart + 10s);
}

TEST_CASE("a try is settled once, and one that is dropped says nothing") {
    Ejections all(usual(), 2);
    for (int i = 0; i < 100; ++i) CHECK(all.enter(0, kStart).has_value());
    auto once = all.enter(0, kStart);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(once->settle(false, kStart));
    CHECK(all.standing(0, kStart) == Standing::in);
}

TEST_CASE("a single server is never left out, and of several never more than half") {
    for (size_t count = 1; count <= 9; ++count) {
        Ejections all(usual(), count);
        for (int round = 0; round < 3; ++round)
            for (size_t server = 0; server < count; ++server) fail_often(all, server, kStart, 50);
        size_t out = 0;
        for (size_t server = 0; server < count; ++server)
            out += all.standing(server, kStart) == Standing::in ? 0 : 1;
        CHECK(out == count / 2);
    }
}

TEST_CASE("servers that are down count as out, and bring ejected ones back where they are too many") {
    Ejections all(usual(), 4);
    all.set_down(3, true, kStart);
    fail_often(all, 0, kStart);
    CHECK_FALSE(fail_often(all, 1, kStart + 1s));
    all.set_down(3, false, kStart);
    CHECK(fail_often(all, 1, kStart + 1s, 1));
    all.set_down(2, true, kStart + 2s);
    CHECK(all.standing(0, kStart + 2s) == Standing::in);
    CHECK(all.standing(1, kStart + 2s) == Standing::ejected);
    all.set_down(3, true, kStart + 2s);
    CHECK(all.standing(1, kStart + 2s) == Standing::in);
}

TEST_CASE("a probe that fails while too many are out leaves its server in") {
    Ejections all(usual(), 2);
    fail_often(all, 0, kStart);
    auto probe = all.enter(0, kStart + 10s);
    all.set_down(1, true, kStart + 10s);
    CHECK(all.standing(0, kStart + 10s) == Standing::ejected);
    probe->settle(false, kStart + 11s);
    CHECK(all.standing(0, kStart + 11s) == Standing::in);
}

TEST_CASE("a probe that is dropped while too many are out leaves its server in, too") {
    Ejections all(usual(), 2);
    fail_often(all, 0, kStart);
    auto probe = all.enter(0, kStart + 10s);
    all.set_down(1, true, kStart + 10s);
    probe->drop();
    CHECK(all.standing(0, kStart + 11s) == Standing::in);
}

TEST_CASE("without a number of failures nobody is left out") {
    config::Passive off = usual();
    off.failures.reset();
    Ejections all(off, 2);
    CHECK_FALSE(fail_often(all, 0, kStart, 10'000));
    CHECK(all.standing(0, kStart) == Standing::in);
}

TEST_CASE("whatever happens: a server is out for no longer than the longest, and enough stay in") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 50; ++round) {
        config::Passive bounds = usual();
        bounds.failures = static_cast<uint32_t>(1 + random() % 4);
        const size_t count = 1 + random() % 6;
        Ejections all(bounds, count);
        std::vector<bool> down(count), sick(count);
        std::vector<std::pair<size_t, Attempt>> running;
        Time now = kStart;
        for (int step = 0; step < 2000; ++step) {
            now += std::chrono::milliseconds(random() % 400);
            const size_t server = random() % count;
            if (random() % 50 == 0) sick[server] = !sick[server];
            if (random() % 200 == 0) all.set_down(server, down[server] = !down[server], now);
            const Standing before = all.standing(server, now);
            auto attempt = all.enter(server, now);
            REQUIRE(attempt.has_value() == (before != Standing::ejected));
            if (attempt) REQUIRE(attempt->is_probe() == (before == Standing::probe_due));
            if (attempt) running.emplace_back(server, std::move(*attempt));
            while (running.size() > 3) {
                const size_t ended = random() % running.size();
                if (random() % 10 != 0) running[ended].second.settle(!sick[running[ended].first], now);
                running.erase(running.begin() + static_cast<ptrdiff_t>(ended));
            }
            size_t out = 0, ejected = 0, probed = 0;
            for (size_t i = 0; i < count; ++i) {
                const auto until = all.ejected_until(i);
                ejected += until && !down[i] ? 1 : 0;
                probed += until == kNever ? 1 : 0;
                out += until || down[i] ? 1 : 0;
                if (until && until != kNever) REQUIRE(*until <= now + bounds.max_eject);
            }
            // Nobody can call a probe back; all others make room for those that are down.
            if (ejected > probed) REQUIRE(out <= count / 2);
        }
    }
}

TEST_CASE("of many threads that find the probe due, one is it") {
    constexpr int kRounds = 2'000;
    constexpr int kThreads = 3;
    std::vector<std::unique_ptr<Ejections>> all;
    for (int round = 0; round < kRounds; ++round) {
        all.push_back(std::make_unique<Ejections>(usual(), 2));
        fail_often(*all.back(), 0, kStart);
    }
    std::vector<std::atomic<int>> probes(kRounds);
    std::barrier round_begins(kThreads);
    auto ask_all = [&] {
        for (size_t round = 0; round < kRounds; ++round) {
            round_begins.arrive_and_wait();
            auto attempt = all[round]->enter(0, kStart + 10s);
            probes[round] += attempt ? 1 : 0;
            round_begins.arrive_and_wait();
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(ask_all);
    for (std::thread& thread : threads) thread.join();
    for (const auto& count : probes) CHECK(count == 1);
}

}  // namespace
}  // namespace weir::policy
