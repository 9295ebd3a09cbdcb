#include "policy/busy_clients.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

namespace weir::policy {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kStart = Time(std::chrono::hours(3));

/// So many requests a second of one client, spread evenly.
void run(BusyClients& busy, Time from, Duration how_long, const ClientUse& use, int per_second) {
    const Duration gap = Duration(seconds(1)) / per_second;
    for (Time now = from; now < from + how_long; now += gap) busy.note(use, now);
}

double weight_of(const HeavySummary& summary, uint64_t key) {
    for (const HeavyHitter& each : summary.hitters)
        if (each.key == key) return each.weight;
    return 0;
}

}  // namespace

TEST_CASE("a steady client shows at its rate, soon after the start and long after it") {
    for (const Duration how_long : {Duration(seconds(2)), Duration(seconds(20)), Duration(seconds(600))}) {
        CAPTURE(how_long.count());
        BusyClients busy(kStart);
        run(busy, kStart, how_long, {.client = 1, .is_refused = true, .in_app = milliseconds(250)}, 20);
        const BusyFigures figures = busy.figures(kStart + how_long);
        CHECK(weight_of(figures.requests, 1) == doctest::Approx(20).epsilon(0.05));
        CHECK(weight_of(figures.refusals, 1) == doctest::Approx(20).epsilon(0.05));
        CHECK(weight_of(figures.in_app, 1) == doctest::Approx(5).epsilon(0.05));
    }
}

TEST_CASE("what is over counts for half as much after each half-life, whether or not anybody else comes") {
    BusyClients busy(kStart);
    run(busy, kStart, seconds(600), {.client = 1}, 10);
    Time now = kStart + seconds(600);
    for (double expected = 10; expected > 0.5; expected /= 2, now += BusyClients::kHalfLife) {
        CHECK(weight_of(busy.figures(now).requests, 1) == doctest::Approx(expected).epsilon(0.05));
        busy.note({.client = 2}, now);
        CHECK(weight_of(busy.figures(now).requests, 1) == doctest::Approx(expected).epsilon(0.05));
    }
}

TEST_CASE("who was busiest an hour ago is not in the way of who is now") {
    BusyClients busy(kStart);
    for (uint64_t key = 1; key <= BusyClients::kCounters; ++key)
        for (int i = 0; i < 1000; ++i) busy.note({.client = key}, kStart);
    const Time later = kStart + std::chrono::hours(1);
    run(busy, later, seconds(5), {.client = 9999}, 10);
    const BusyFigures figures = busy.figures(later + seconds(5));
    REQUIRE_FALSE(figures.requests.hitters.empty());
    CHECK(figures.requests.hitters[0].key == 9999);
    CHECK(figures.requests.least < 0.001);
}

TEST_CASE("weeks of traffic, and weeks without, leave the figures finite and right") {
    BusyClients busy(kStart);
    Time now = kStart;
    for (int i = 0; i < 5000; ++i, now += std::chrono::minutes(7)) busy.note({.client = 1}, now);
    for (const Duration silence : {Duration(std::chrono::hours(7)), Duration(std::chrono::hours(24 * 60))}) {
        now += silence;
        CHECK(weight_of(busy.figures(now).requests, 1) == doctest::Approx(0));
        run(busy, now, seconds(600), {.client = 1}, 10);
        now += seconds(600);
        const double shown = weight_of(busy.figures(now).requests, 1);
        CHECK(std::isfinite(shown));
        CHECK(shown == doctest::Approx(10).epsilon(0.05));
    }
}

TEST_CASE("clients that are not refused, or never reach the app, are not among those that are") {
    BusyClients busy(kStart);
    run(busy, kStart, seconds(5), {.client = 1, .is_refused = true, .in_app = Duration(-1)}, 5);
    run(busy, kStart, seconds(5), {.client = 2, .in_app = milliseconds(10)}, 5);
    const BusyFigures figures = busy.figures(kStart + seconds(5));
    CHECK(figures.requests.hitters.size() == 2);
    REQUIRE(figures.refusals.hitters.size() == 1);
    CHECK(figures.refusals.hitters[0].key == 1);
    REQUIRE(figures.in_app.hitters.size() == 1);
    CHECK(figures.in_app.hitters[0].key == 2);
}

TEST_CASE("a time that lies a little back does no harm") {
    BusyClients busy(kStart);
    busy.note({.client = 1}, kStart + seconds(10));
    busy.note({.client = 1}, kStart + seconds(8));
    busy.note({.client = 1}, kStart - seconds(1));
    CHECK(weight_of(busy.figures(kStart + seconds(10)).requests, 1) == doctest::Approx(0.33).epsilon(0.05));
}

TEST_CASE("workers' figures add up") {
    std::array<BusyFigures, 2> parts;
    for (BusyFigures& part : parts) {
        BusyClients busy(kStart);
        run(busy, kStart, seconds(100), {.client = 1, .in_app = milliseconds(100)}, 10);
        part = busy.figures(kStart + seconds(100));
    }
    const BusyFigures both = merge(parts);
    CHECK(weight_of(both.requests, 1) == doctest::Approx(20).epsilon(0.05));
    CHECK(weight_of(both.in_app, 1) == doctest::Approx(2).epsilon(0.05));
    CHECK(both.refusals.hitters.empty());
}

}  // namespace weir::policy
