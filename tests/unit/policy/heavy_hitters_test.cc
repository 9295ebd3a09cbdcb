#include "policy/heavy_hitters.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

namespace weir::policy {

namespace {

constexpr double kRounding = 1e-9;

/// What a sketch was told, exactly.
using Truth = std::map<uint64_t, double>;

/// A sketch beside the truth. Keys are drawn with the weights of Zipf's law, so that some are heavy.
struct Watched {
    explicit Watched(uint32_t counters) : most(counters), sketch(counters) {}

    void add(uint64_t key, double weight) {
        sketch.add(key, {}, weight);
        truth[key] += weight;
        total += weight;
    }
    void add_many(std::mt19937_64& random, size_t count, uint64_t keys) {
        std::uniform_real_distribution<double> share(0, std::log(static_cast<double>(keys)));
        std::exponential_distribution<double> weight(1);
        for (size_t i = 0; i < count; ++i)
            add(static_cast<uint64_t>(std::exp(share(random))) * 0x9E3779B97F4A7C15U, weight(random) + 0.001);
    }

    uint32_t most;
    HeavyHitters sketch;
    Truth truth;
    double total = 0;
};

void check_bounds(const HeavySummary& summary, const Truth& truth, double bound) {
    Truth left = truth;
    for (const HeavyHitter& each : summary.hitters) {
        CAPTURE(each.key);
        const double true_weight = left[each.key];
        CHECK(each.weight >= true_weight * (1 - kRounding) - kRounding);
        CHECK(each.weight - each.error <= true_weight * (1 + kRounding) + kRounding);
        CHECK(each.error <= bound * (1 + kRounding));
        left.erase(each.key);
    }
    CHECK(summary.least <= bound * (1 + kRounding));
    // Whoever is not known weighs no more than it is said that such may weigh; so none of the heavy is
    // missing.
    for (const auto& [key, weight] : left) CHECK(weight <= summary.least * (1 + kRounding) + kRounding);
}

}  // namespace

TEST_CASE("with room for all of them, every weight is exact") {
    Watched watched(8);
    for (uint64_t key = 1; key <= 7; ++key)
        for (uint64_t times = 0; times < key; ++times) watched.add(key, 2.5);
    const HeavySummary summary = watched.sketch.summary();
    REQUIRE(summary.hitters.size() == 7);
    CHECK(summary.least == 0);
    CHECK(summary.total == doctest::Approx(70));
    for (size_t i = 0; i < 7; ++i) {
        CHECK(summary.hitters[i].key == 7 - i);
        CHECK(summary.hitters[i].weight == doctest::Approx(2.5 * static_cast<double>(7 - i)));
        CHECK(summary.hitters[i].error == 0);
    }
}

TEST_CASE("the weights of any stream lie within the stated bounds, and no heavy client is missed") {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed ", seed);
        std::mt19937_64 random(seed);
        Watched watched(1U << (seed % 7));
        watched.add_many(random, 3000, 2 + random() % 3000);
        const HeavySummary summary = watched.sketch.summary();
        CHECK(summary.hitters.size() <= watched.most);
        CHECK(summary.total == doctest::Approx(watched.total));
        check_bounds(summary, watched.truth, watched.total / watched.most);
    }
}

TEST_CASE("a flood of clients that come once each does not hide one that comes often") {
    Watched watched(64);
    for (uint64_t i = 0; i < 20000; ++i) {
        watched.add(i * 0x9E3779B97F4A7C15U + 1, 1);
        if (i % 30 == 0) watched.add(42, 1);
    }
    const HeavySummary summary = watched.sketch.summary();
    CHECK(summary.hitters.size() == 64);
    CHECK(std::any_of(summary.hitters.begin(), summary.hitters.end(),
                      [](const HeavyHitter& each) { return each.key == 42; }));
    check_bounds(summary, watched.truth, watched.total / 64);
}

TEST_CASE("summaries of several sketches add up, and so do their bounds") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed ", seed);
        std::mt19937_64 random(seed);
        std::vector<HeavySummary> parts;
        Truth truth;
        double total = 0;
        for (size_t worker = 0; worker < 1 + seed % 4; ++worker) {
            Watched watched(16);
            watched.add_many(random, 500 * worker, 400);
            for (const auto& [key, weight] : watched.truth) truth[key] += weight;
            total += watched.total;
            parts.push_back(watched.sketch.summary());
        }
        const HeavySummary merged = merge(parts);
        CHECK(merged.total == doctest::Approx(total));
        CHECK(std::is_sorted(merged.hitters.begin(), merged.hitters.end(),
                             [](const auto& a, const auto& b) { return a.weight > b.weight; }));
        check_bounds(merged, truth, total / 16);
    }
}

TEST_CASE("scaling holds for what was added before it, and for nothing else") {
    HeavyHitters sketch(2);
    sketch.add(1, {}, 8);
    sketch.add(2, {}, 2);
    sketch.scale(0.5);
    sketch.add(3, {}, 4);  // takes the place of 2, which weighs 1 by now
    const HeavySummary summary = sketch.summary();
    REQUIRE(summary.hitters.size() == 2);
    CHECK(summary.hitters[0].key == 3);
    CHECK(summary.hitters[0].weight == 5);
    CHECK(summary.hitters[0].error == 1);
    CHECK(summary.hitters[1].weight == 4);
    CHECK(summary.least == 4);
    CHECK(summary.total == 9);
}

TEST_CASE("a client is shown with the address that it last came from") {
    HeavyHitters sketch(2);
    sketch.add(7, ipv4_bytes({192, 0, 2, 1}), 1);
    sketch.add(7, ipv4_bytes({192, 0, 2, 2}), 1);
    CHECK(sketch.summary().hitters[0].address == ipv4_bytes({192, 0, 2, 2}));
}

}  // namespace weir::policy
