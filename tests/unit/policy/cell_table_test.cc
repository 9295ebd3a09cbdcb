#include "policy/cell_table.h"

#include <map>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "admitted_log.h"
#include "policy/gcra.h"
#include "policy/window.h"
#include "random_source.h"

namespace weir::policy {
namespace {

using http::RandomSource;
using namespace std::chrono_literals;

constexpr Time kStart{1000s};

template <class Table>
Time look(Table& table, uint64_t key, Time now, uint32_t cost = 1) {
    const CellPlace place = table.lock(key, now);
    const Time at = table.admit_at(place, cost);
    table.unlock(place);
    return at;
}

template <class Table>
bool send(Table& table, uint64_t key, Time now, uint32_t cost = 1) {
    CellPlace place = table.lock(key, now);
    const bool admitted = table.admit_at(place, cost) == place.now();
    if (admitted) table.charge(place, cost);
    table.unlock(place);
    return admitted;
}

template <class Table>
uint32_t remaining(Table& table, uint64_t key, Time now) {
    const CellPlace place = table.lock(key, now);
    const Quota quota = table.quota(place);
    table.unlock(place);
    return quota.remaining;
}

/// As the hash would spread it.
uint64_t key_of(uint64_t client) {
    uint64_t key = (client + 1) * 0x9e3779b97f4a7c15U;
    key = (key ^ key >> 32U) * 0xd6e8feb86659fd93U;
    return key ^ key >> 32U;
}

}  // namespace

TEST_CASE("a table remembers as many keys as it is made for, however their hashes fall") {
    for (const size_t capacity : {1U, 2U, 10U, 1000U, 5000U, 70'000U}) {
        INFO("capacity " << capacity);
        CellTable<FineWindow> table(FineWindow({9, 60s}), capacity);
        for (uint64_t client = 0; client < capacity; ++client) {
            REQUIRE(send(table, key_of(client), kStart, 1 + static_cast<uint32_t>(client % 9)));
        }
        for (uint64_t client = 0; client < capacity; ++client) {
            REQUIRE(remaining(table, key_of(client), kStart + 1s) == 8 - client % 9);
        }
        CHECK(table.figures().size == capacity);
        CHECK(table.figures().evictions == 0);
        CHECK(table.figures().shared == 0);
    }
}

TEST_CASE_TEMPLATE("no key ever exceeds its limit, though many more keys come than fit", Meter, FineWindow,
                   Window, WideWindow) {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 60; ++trial) {
        const RateSpec spec{static_cast<uint32_t>(1 + random.below(12)), 1s};
        const size_t clients = 2 + random.below(40);
        CellTable<Meter> table(Meter(spec), 1 + random.below(8));
        std::map<uint64_t, AdmittedLog> logs;
        Time now = kStart;
        const size_t most_pause = size_t{1} << (10 + random.below(21));
        for (int request = 0; request < 3000; ++request) {
            now += Duration{static_cast<Time::rep>(random.below(most_pause))};
            const uint64_t key = key_of(std::min(random.below(clients), random.below(clients)));
            const auto cost = static_cast<uint32_t>(1 + random.below(1 + random.below(spec.count)));
            const Time at = look(table, key, now, cost);
            if (at != now) {
                REQUIRE(look(table, key, at - 1ns, cost) == at);
                if (random.one_in(4)) now = std::max(now, at - 1ns);
                continue;
            }
            REQUIRE(send(table, key, now, cost));
            logs[key].add(now, cost);
            REQUIRE(logs[key].cost_within(spec.window, now) <= spec.count);
        }
    }
}

TEST_CASE("no key ever takes more than its token bucket gives, though many more keys come than fit") {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 40; ++trial) {
        const RateSpec refill{static_cast<uint32_t>(1 + random.below(20)), 1s};
        const auto burst = static_cast<uint32_t>(1 + random.below(20));
        CellTable<TokenBucket> table(TokenBucket(refill, burst), 1 + random.below(8));
        std::map<uint64_t, AdmittedLog> logs;
        Time now = kStart;
        for (int request = 0; request < 1500; ++request) {
            now += Duration{static_cast<Time::rep>(random.below(20'000'000))};
            const uint64_t key = key_of(random.below(25));
            if (!send(table, key, now)) continue;
            REQUIRE(logs[key].bucket_allows(refill, burst, now, 1));
            logs[key].add(now, 1);
        }
    }
}

TEST_CASE("a million new keys leave a table at its bound, and nobody limited gets a fresh start") {
    constexpr size_t kCapacity = 3000;
    constexpr uint64_t kLimited = 100;
    constexpr uint64_t kInvented = 1'000'000;
    CellTable<FineWindow> table(FineWindow({60, 60s}), kCapacity);
    for (uint64_t client = 0; client < kLimited; ++client) REQUIRE(send(table, key_of(client), kStart, 60));
    Time now = kStart;
    size_t admitted = 0;
    for (uint64_t client = kLimited; client < kInvented; ++client) {
        now += 50us;
        admitted += send(table, key_of(client), now) ? 1 : 0;
        REQUIRE(look(table, key_of(client % kLimited), now) == kStart + 60s);
    }
    CHECK(table.figures().size == kCapacity);
    CHECK(table.figures().evictions > kCapacity);
    CHECK(admitted > 60 * kCapacity / 2);  // strangers have most of what the slots could have given
    CHECK(table.memory_bytes() < 96 * kCapacity);
    CHECK(look(table, key_of(0), kStart + 60s) == kStart + 60s);

    const Time after = now + 62s;
    for (uint64_t client = 2 * kInvented; client < 2 * kInvented + kCapacity; ++client) {
        REQUIRE(send(table, key_of(client), after, 60));  // no trace of the flood is left
    }
}

TEST_CASE("what has expired goes before anything that has not") {
    constexpr uint64_t kClients = 1000;
    CellTable<FineWindow> table(FineWindow({5, 60s}), kClients);
    for (uint64_t client = 0; client < kClients; ++client) {
        REQUIRE(send(table, key_of(client), client < kClients / 2 ? kStart : kStart + 30s, 2));
    }
    const Time later = kStart + 70s;
    for (uint64_t client = 0; client < kClients / 4; ++client) {
        REQUIRE(send(table, key_of(kClients + client), later, 5));
    }
    for (uint64_t client = kClients / 2; client < kClients; ++client) {
        CHECK(remaining(table, key_of(client), later) == 3);
    }
    CHECK(table.figures().evictions == 0);
    CHECK(table.figures().shared == 0);
    CHECK(table.figures().size < kClients);
}

TEST_CASE("then the entry nearest to its full quota goes, and what it was charged with is not forgotten") {
    CellTable<FineWindow> table(FineWindow({5, 60s}), 2);
    REQUIRE(send(table, key_of(1), kStart, 4));
    REQUIRE(send(table, key_of(2), kStart, 1));
    REQUIRE(send(table, key_of(3), kStart, 1));  // no cheaper to let 2 go: shares
    CHECK(table.figures().evictions == 0);
    CHECK(table.figures().shared == 1);
    REQUIRE(send(table, key_of(4), kStart, 1));
    CHECK(table.figures().evictions == 1);
    CHECK(remaining(table, key_of(1), kStart) == 1);
    CHECK(remaining(table, key_of(2), kStart) == 4);
    CHECK(remaining(table, key_of(3), kStart) == 4);
    CHECK(remaining(table, key_of(4), kStart) == 3);  // its own, and what it might have shared
    CHECK(remaining(table, key_of(4), kStart + 60s) == 5);
}

TEST_CASE("an entry with nothing left keeps its slot, and strangers share one quota") {
    CellTable<FineWindow> table(FineWindow({3, 60s}), 2);
    REQUIRE(send(table, key_of(1), kStart, 3));
    REQUIRE(send(table, key_of(2), kStart, 3));
    int admitted = 0;
    for (uint64_t client = 10; client < 100; ++client)
        admitted += send(table, key_of(client), kStart + 1s) ? 1 : 0;
    CHECK(admitted == 3);
    CHECK(table.figures().shared == 3);
    CHECK(table.figures().evictions == 0);
    CHECK(look(table, key_of(1), kStart + 2s) == kStart + 60s);
    CHECK(look(table, key_of(1000), kStart + 2s) == kStart + 61s);
}

TEST_CASE("a refusal, and a look, leave the table as it was") {
    CellTable<FineWindow> table(FineWindow({1, 60s}), 10);
    CHECK(look(table, key_of(1), kStart) == kStart);
    CHECK(table.figures().size == 0);
    REQUIRE(send(table, key_of(1), kStart));
    for (Time now = kStart; now < kStart + 60s; now += 1s) CHECK(!send(table, key_of(1), now));
    CHECK(table.figures().size == 1);
    CHECK(send(table, key_of(1), kStart + 60s));
}

TEST_CASE("time that runs backwards stands still, so that nothing is admitted early") {
    CellTable<FineWindow> table(FineWindow({1, 60s}), 10);
    REQUIRE(send(table, key_of(1), kStart));
    CHECK(look(table, key_of(2), kStart + 60s) == kStart + 60s);
    CHECK(send(table, key_of(1), kStart + 60s - 1ns));  // it is kStart + 60s already
    CHECK(look(table, key_of(1), kStart + 60s) == kStart + 120s);
}

TEST_CASE("a remembered key takes at most 96 bytes, 160 where the limit is past 65535") {
    for (const size_t keys : {1000U, 1025U, 2047U, 100'000U, 131'071U, 1'000'000U}) {
        INFO(keys << " keys");
        CHECK(CellTable<FineWindow>(FineWindow({60, 60s}), keys).memory_bytes() <= 96 * keys);
        CHECK(CellTable<Window>(Window({65'535, 60s}), keys).memory_bytes() <= 96 * keys);
        CHECK(CellTable<WideWindow>(WideWindow({65'536, 60s}), keys).memory_bytes() <= 160 * keys);
        CHECK(CellTable<TokenBucket>(TokenBucket({10, 1s}, 20), keys).memory_bytes() <= 96 * keys);
    }
}

}  // namespace weir::policy
