#include "policy/window.h"

#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "admitted_log.h"
#include "random_source.h"

namespace weir::policy {
namespace {

using http::RandomSource;
using namespace std::chrono_literals;
__extension__ using Wide = __int128;

/// One key under virtual time.
template <class Meter>
struct Client {
    explicit Client(const RateSpec& spec) : meter(spec) {}

    Time look(Time now, uint32_t cost = 1) {
        meter.settle(cell, now);
        return meter.admit_at(cell, now, cost);
    }
    bool send(Time now, uint32_t cost = 1) {
        if (look(now, cost) != now) return false;
        meter.charge(cell, now, cost);
        return true;
    }
    uint32_t used(Time now) {
        meter.settle(cell, now);
        return cell.used;
    }

    Meter meter;
    typename Meter::Cell cell{};
};

template <class Meter>
RateSpec random_spec(RandomSource& random) {
    const std::array<uint64_t, 4> bounds{3, 40, 300, Meter::kMostLimit};
    const uint64_t bound = std::min<uint64_t>(bounds[random.below(bounds.size())], Meter::kMostLimit);
    const std::array<Duration, 4> windows{100ms, 1s, 60s, RateSpec::kMostWindow};
    Duration window = windows[random.below(windows.size())];
    if (random.one_in(2)) {
        window = Duration{RateSpec::kLeastWindow.count() +
                          static_cast<Time::rep>(random.below(static_cast<size_t>(window.count())))};
        window = std::min(window, RateSpec::kMostWindow);
    }
    return {static_cast<uint32_t>(1 + random.below(bound)), window};
}

/// Pauses that hurt: none, about one grid step, about a window, up to one, up to two.
Duration random_pause(RandomSource& random, const RateSpec& spec) {
    const auto up_to = [&](Duration most) {
        return Duration{static_cast<Time::rep>(random.below(static_cast<size_t>(most.count()) + 1))};
    };
    const auto about = [&](Duration length) { return std::max(length - 1ns + up_to(2ns), 0ns); };
    switch (random.below(8)) {
        case 0: return 0ns;
        case 1: return 1ns;
        case 2: return about(spec.window / 31);
        case 3: return about(spec.window / 63);
        case 4: return about(spec.window);
        case 5: return up_to(spec.window / 16);
        case 6: return up_to(spec.window / spec.count);
        default: return up_to(2 * spec.window);
    }
}

/// The instant k * d after `start`, rounded down, where d is W/N * 32/31: a rational number of nanoseconds.
Time even_instant(Time start, const RateSpec& spec, uint64_t k) {
    const Wide sum = Wide{spec.window.count()} * 32 * k / (Wide{spec.count} * 31);
    return start + Duration{static_cast<Time::rep>(sum)};
}

#define ALL_WINDOWS FineWindow, Window, WideWindow

}  // namespace

TEST_CASE_TEMPLATE(
    "never more than the limit in any window, and what is refused is admitted at the instant named", Meter,
    ALL_WINDOWS) {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 1500; ++trial) {
        const RateSpec spec = random_spec<Meter>(random);
        INFO(spec.count << " in a window of " << spec.window.count() << " ns");
        Client<Meter> client(spec);
        AdmittedLog log;
        Time now{1000s};
        for (int request = 0; request < 200; ++request) {
            now += random_pause(random, spec);
            const auto cost = static_cast<uint32_t>(1 + random.below(1 + random.below(spec.count)));
            Time admit_at = client.look(now, cost);
            REQUIRE(admit_at >= now);
            if (admit_at != now) {
                auto early = client;
                REQUIRE(early.look(admit_at - 1ns, cost) == admit_at);
                REQUIRE(admit_at - now < spec.window + spec.window / 31 + 1ns);
                if (random.one_in(2)) continue;
                now = admit_at;
            }
            REQUIRE(client.send(now, cost));
            log.add(now, cost);
            REQUIRE(log.cost_within(spec.window, now) <= spec.count);
        }
    }
}

TEST_CASE_TEMPLATE(
    "a client that sends evenly at 1/32 below the limit is never refused, from a limit of 1 up", Meter,
    ALL_WINDOWS) {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (uint32_t limit = 1; limit <= 200; ++limit) {
        for (RateSpec spec : {RateSpec{limit, 1s}, random_spec<Meter>(random)}) {
            spec.count = limit;
            const Time start{1000s + Duration{static_cast<Time::rep>(random.below(1'000'000'000))}};
            INFO(limit << " in " << spec.window.count() << " ns");
            Client<Meter> client(spec);
            for (uint64_t k = 0; k < 3 * limit + 100; ++k) {
                REQUIRE(client.send(even_instant(start, spec, k)));
            }
        }
    }
}

TEST_CASE("the largest limits admit an even sender too, and no more than they say") {
    for (const uint32_t limit : {65'536U, 1'000'003U, 4'294'967'295U}) {
        const uint32_t cost = limit / 1000;
        const RateSpec spec{limit - limit % cost, RateSpec::kMostWindow};
        Client<WideWindow> client(spec);
        AdmittedLog log;
        for (uint64_t k = 0; k < 3000; ++k) {
            const Time now = even_instant(Time{1s}, spec, k * cost);
            REQUIRE(client.send(now, cost));
            log.add(now, cost);
            REQUIRE(log.cost_within(spec.window, now) <= spec.count);
        }
        Client<WideWindow> greedy({limit, RateSpec::kMostWindow});
        REQUIRE(greedy.send(Time{1s}, limit));
        CHECK(greedy.look(Time{2s}, 1) == Time{1s} + RateSpec::kMostWindow);
        CHECK(greedy.look(Time{2s}, limit) == Time{1s} + RateSpec::kMostWindow);
    }
}

TEST_CASE_TEMPLATE(
    "nobody is refused who sends at most the limit in any 32/31 of the window, however unevenly", Meter,
    ALL_WINDOWS) {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 1000; ++trial) {
        const RateSpec spec = random_spec<Meter>(random);
        INFO(spec.count << " in " << spec.window.count() << " ns");
        const Duration span{static_cast<Time::rep>((Wide{spec.window.count()} * 32 + 30) / 31)};
        Client<Meter> client(spec);
        AdmittedLog log;
        Time now{1000s};
        for (int request = 0; request < 300; ++request) {
            now += random_pause(random, spec) / (1 + random.below(8));
            const auto cost = static_cast<uint32_t>(1 + random.below(1 + spec.count / 2));
            if (log.cost_within(span, now) + cost > spec.count) continue;
            REQUIRE(client.send(now, cost));
            log.add(now, cost);
        }
    }
}

TEST_CASE_TEMPLATE("who spends everything at once waits one window, not a nanosecond longer", Meter,
                   ALL_WINDOWS) {
    Client<Meter> client({5, 60s});
    for (const Time start : {Time{7s}, Time{7s + 60s}, Time{1000s + 1ns}}) {
        for (int i = 0; i < 5; ++i) REQUIRE(client.send(start));
        CHECK(client.look(start + 1s) == start + 60s);
        CHECK(client.look(start + 60s - 1ns) == start + 60s);
        CHECK(client.look(start + 60s, 5) == start + 60s);
    }
}

TEST_CASE(
    "a cost above the limit is never admitted; one that is the limit is, where nothing else is charged") {
    Client<FineWindow> client({5, 60s});
    CHECK(client.look(Time{1s}, 6) == kNever);
    CHECK(client.send(Time{1s}, 5));
    CHECK(client.look(Time{2s}, 6) == kNever);
    CHECK(client.look(Time{2s}, 5) == Time{61s});
}

TEST_CASE("the quota says what is left, and when more comes back") {
    Client<FineWindow> client({5, 63s});
    const auto quota_at = [&](Time now) {
        client.meter.settle(client.cell, now);
        return client.meter.quota(client.cell, now);
    };
    Quota quota = quota_at(Time{1s});
    CHECK(quota.limit == 5);
    CHECK(quota.remaining == 5);
    CHECK(quota.next == 0s);
    REQUIRE(client.send(Time{10s}, 1));
    REQUIRE(client.send(Time{30s}, 2));
    quota = quota_at(Time{30s});
    CHECK(quota.remaining == 2);
    CHECK(quota.next == 43s);
    quota = quota_at(Time{73s});
    CHECK(quota.remaining == 3);
    CHECK(quota.next == 20s);
}

TEST_CASE_TEMPLATE(
    "a cell that covers another is charged with no less than either while that counts, nor needlessly", Meter,
    ALL_WINDOWS) {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (int trial = 0; trial < 2000; ++trial) {
        const RateSpec spec = random_spec<Meter>(random);
        INFO(spec.count << " in " << spec.window.count() << " ns");
        Client<Meter> upper(spec);
        Client<Meter> other(spec);
        Time now{1000s};
        for (size_t requests = random.below(30); requests > 0; --requests) {
            now += random_pause(random, spec) / 8;
            (random.one_in(2) ? upper : other).send(now, static_cast<uint32_t>(1 + random.below(spec.count)));
        }
        now += random_pause(random, spec) / 4;
        auto covering = upper;
        covering.used(now);
        other.used(now);
        covering.meter.cover(covering.cell, other.cell, now);
        const Duration step = spec.window / 31 + 1ns;
        auto other_before = other;
        for (Time later = now; later < now + spec.window; later += step / 3) {
            const uint32_t others = other.used(later);
            const uint32_t most = later - step < now ? spec.count : other_before.used(later - step);
            REQUIRE(covering.used(later) >= std::max(upper.used(later), others));
            REQUIRE(covering.used(later) <= std::max(upper.used(later), std::max(others, most)));
        }
        CHECK(covering.used(now + spec.window + 2 * step) == 0);
    }
}

}  // namespace weir::policy
