#include "policy/wait_predictor.h"

#include <doctest/doctest.h>

#include <random>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

WaitPredictor taught(Duration held, int64_t times = WaitPredictor::kEnough) {
    WaitPredictor predictor;
    for (int64_t i = 0; i < times; ++i) predictor.observe(held);
    return predictor;
}

TEST_CASE("nothing is predicted before enough requests have completed") {
    CHECK_FALSE(taught(1s, 0).mean());
    CHECK_FALSE(taught(1s, WaitPredictor::kEnough - 1).mean());
    CHECK_FALSE(
        taught(1s, WaitPredictor::kEnough - 1).predict({.starts = 100, .slots = 1, .per_client_slots = 1}));
    CHECK(taught(1s).mean() == Duration(1s));
}

TEST_CASE("a wait is the starts ahead times the mean over the slots, or the same of the client's own") {
    const auto predictor = taught(100ms);
    CHECK(predictor.predict({.starts = 1, .slots = 4, .per_client_slots = 4}) == Duration(25ms));
    CHECK(predictor.predict({.starts = 40, .slots = 4, .per_client_slots = 4}) == Duration(1s));
    CHECK(predictor.predict({.starts = 40, .slots = 4, .own_starts = 20, .per_client_slots = 4}) ==
          Duration(1s));
    CHECK(predictor.predict({.starts = 40, .slots = 4, .own_starts = 20, .per_client_slots = 1}) ==
          Duration(2s));
}

TEST_CASE("no wait is predicted where there are no slots, and none beyond the longest") {
    CHECK_FALSE(taught(1s).predict({.starts = 1, .slots = 0, .per_client_slots = 1}));
    CHECK_FALSE(taught(1s).predict({.starts = 1, .slots = 1, .per_client_slots = 0}));
    CHECK(taught(1h).predict({.starts = UINT64_MAX, .slots = 1, .per_client_slots = 1}) ==
          WaitPredictor::kLongest);
}

TEST_CASE("the first completions weigh alike, so that the first one does not colour the rest") {
    WaitPredictor predictor;
    for (int i = 1; i <= 16; ++i) predictor.observe(std::chrono::milliseconds(i));
    CHECK(*predictor.mean() > 8499us);
    CHECK(*predictor.mean() <= 8500us);
}

TEST_CASE("after a change, 63 % of the way is made within 128 completions") {
    auto predictor = taught(100ms, 1000);
    for (int64_t i = 0; i < WaitPredictor::kWeight; ++i) predictor.observe(200ms);
    CHECK(*predictor.mean() > 162ms);
    CHECK(*predictor.mean() < 165ms);
}

TEST_CASE("one outlier lifts the mean by at most a quarter") {
    auto predictor = taught(50ms, 1000);
    predictor.observe(30s);
    CHECK(*predictor.mean() > 60ms);
    CHECK(*predictor.mean() <= 62500us);
}

TEST_CASE("an app that has become slow for good is believed, however much slower it is") {
    auto predictor = taught(1ms, 1000);
    for (int64_t i = 0; i < 8 * WaitPredictor::kWeight; ++i) predictor.observe(10s);
    CHECK(*predictor.mean() > 9900ms);
}

TEST_CASE("a first sample of nothing does not silence the later ones") {
    WaitPredictor predictor;
    predictor.observe(0ns);
    predictor.observe(-1s);
    for (int64_t i = 0; i < 4 * WaitPredictor::kWeight; ++i) predictor.observe(50ms);
    CHECK(*predictor.mean() > 45ms);
}

TEST_CASE("of a mix of fast and slow requests the mean is learnt, not the speed of either") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    WaitPredictor predictor;
    double sum = 0;
    constexpr int kSamples = 20'000;
    for (int i = 0; i < kSamples; ++i) {
        predictor.observe(random() % 10 == 0 ? 1s : 10ms);
        sum += static_cast<double>(predictor.mean().value_or(109ms) / 1us);
    }
    CHECK(sum / kSamples == doctest::Approx(109'000).epsilon(0.1));
}

}  // namespace
}  // namespace weir::policy
