#include "policy/gcra.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "admitted_log.h"
#include "random_source.h"

namespace weir::policy {
namespace {

using http::RandomSource;
using namespace std::chrono_literals;

struct Client {
    Client(const RateSpec& refill, uint32_t burst) : meter(refill, burst) {}

    [[nodiscard]] Time look(Time now, uint32_t cost = 1) const { return meter.admit_at(cell, now, cost); }
    bool send(Time now, uint32_t cost = 1) {
        if (look(now, cost) != now) return false;
        meter.charge(cell, now, cost);
        return true;
    }

    TokenBucket meter;
    TokenBucket::Cell cell{};
};

uint32_t random_count(RandomSource& random) {
    const size_t bound = size_t{1} << (1 + random.below(32));
    return static_cast<uint32_t>(1 + random.below(std::min<size_t>(bound, RateSpec::kMostCount)));
}

RateSpec random_refill(RandomSource& random) {
    const auto span = static_cast<size_t>((RateSpec::kMostWindow - RateSpec::kLeastWindow).count());
    const size_t bound = std::min(size_t{1} << (20 + random.below(33)), span);
    return {random_count(random),
            RateSpec::kLeastWindow + Duration{static_cast<Time::rep>(random.below(bound + 1))}};
}

}  // namespace

TEST_CASE("a token bucket admits exactly what the burst and the inflow since any earlier admission allow") {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 500; ++trial) {
        const RateSpec refill = random_refill(random);
        const uint32_t burst = std::min(random_count(random), 100'000'000U);
        INFO(refill.count << " in " << refill.window.count() << " ns, burst " << burst);
        Client client(refill, burst);
        AdmittedLog log;
        Time now{1000s};
        const auto token = static_cast<size_t>(refill.window.count() / refill.count);
        for (int request = 0; request < 100; ++request) {
            const size_t pause = random.below(4) * token * (1 + random.below(1 + burst / 4));
            now +=
                Duration{static_cast<Time::rep>(std::min<size_t>(pause, size_t{1} << 50U) + random.below(3))};
            const auto cost = static_cast<uint32_t>(1 + random.below(1 + random.below(burst)));
            const Time admit_at = client.look(now, cost);
            REQUIRE(log.bucket_allows(refill, burst, now, cost) == (admit_at == now));
            if (admit_at != now) {
                REQUIRE(admit_at > now);

                REQUIRE(!log.bucket_allows(refill, burst, admit_at - 1ns, cost));
                REQUIRE((admit_at == kNever - 1ns || log.bucket_allows(refill, burst, admit_at, cost)));
                REQUIRE(client.look(admit_at - 1ns, cost) == admit_at);
                if (random.one_in(2) || admit_at - now > RateSpec::kMostWindow) continue;
                now = admit_at;
            }
            REQUIRE(client.send(now, cost));
            log.add(now, cost);
        }
    }
}

TEST_CASE("tokens that do not come after whole nanoseconds do not drift") {
    const RateSpec refill{7, 1s};
    Client client(refill, 2);
    Time now{0s};
    REQUIRE(client.send(now, 2));
    for (int i = 0; i < 7'000; ++i) {
        now = client.look(now);
        REQUIRE(client.send(now));
    }
    CHECK(now == Time{1000s});
}

TEST_CASE("the burst can be spent at once, after that one token comes each time") {
    Client client({10, 1s}, 20);
    for (int i = 0; i < 20; ++i) CHECK(client.send(Time{5s}));
    CHECK(client.look(Time{5s}) == Time{5s + 100ms});
    CHECK(client.look(Time{5s}, 20) == Time{7s});
    CHECK(client.look(Time{5s}, 21) == kNever);
}

TEST_CASE("the quota of a token bucket counts whole tokens") {
    Client client({10, 1s}, 20);
    CHECK(client.meter.quota(client.cell, Time{5s}).remaining == 20);
    REQUIRE(client.send(Time{5s}, 3));
    const Quota quota = client.meter.quota(client.cell, Time{5s + 30ms});
    CHECK(quota.limit == 20);
    CHECK(quota.remaining == 17);
    CHECK(quota.next == 70ms);
    CHECK(client.meter.quota(client.cell, Time{5s + 100ms}).remaining == 18);
}

TEST_CASE("the largest sizes do not overflow: a bucket that takes longer to fill than a clock can count") {
    Client client({1, RateSpec::kMostWindow}, 4'294'967'295);
    const Time now{kNever - 1ns - RateSpec::kMostWindow};
    REQUIRE(client.send(now, 4'294'967'295));
    CHECK(client.look(now, 1) == now + RateSpec::kMostWindow);
    CHECK(client.look(now, 4'294'967'295) == kNever - 1ns);
    CHECK(client.meter.used(client.cell, now) == 4'294'967'295);
    CHECK(client.meter.quota(client.cell, now).remaining == 0);

    Client quick({4'294'967'295, 100ms}, 4'294'967'295);
    REQUIRE(quick.send(now, 4'294'967'295));
    CHECK(quick.look(now, 1) == now + 1ns);
    CHECK(quick.look(now, 4'294'967'295) == now + 100ms);
}

TEST_CASE("a bucket that covers another is as empty as the emptier of the two") {
    Client a({10, 1s}, 20);
    Client b({10, 1s}, 20);
    REQUIRE(a.send(Time{5s}, 3));
    REQUIRE(b.send(Time{5s}, 7));
    a.meter.cover(a.cell, b.cell, Time{5s});
    CHECK(a.meter.used(a.cell, Time{5s}) == 7);
    b.meter.cover(b.cell, TokenBucket::Cell{}, Time{5s});
    CHECK(b.meter.used(b.cell, Time{5s}) == 7);
}

}  // namespace weir::policy
