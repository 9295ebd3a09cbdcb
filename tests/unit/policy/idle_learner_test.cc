#include "policy/idle_learner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1000s};

/// Closes that are far enough apart to be events of their own, and the time behind the last.
Time close_each(IdleLearner& learner, Time now, const std::vector<Duration>& times) {
    for (const Duration idle : times) {
        now += 10s;
        learner.closed(idle, now);
    }
    return now + IdleLearner::kEvent;
}

TEST_CASE("nothing is known of an app that has closed nothing, or only twice") {
    IdleLearner learner;
    CHECK_FALSE(learner.limit(kStart).has_value());
    CHECK_FALSE(learner.limit(close_each(learner, kStart, {5s, 5s})).has_value());
}

TEST_CASE(
    "the 5 s of Node and the 2 s of gunicorn, which looks once a second, are learnt from three closes") {
    IdleLearner node;
    CHECK(node.limit(close_each(node, kStart, {5002ms, 5001ms, 5004ms})) == 4001ms);
    IdleLearner gunicorn;
    const auto limit = gunicorn.limit(close_each(gunicorn, kStart, {2900ms, 2100ms, 2500ms}));
    CHECK(limit == 1680ms);
}

TEST_CASE("the margin is a fifth, at most a second, and leaves at least half") {
    auto limit_of = [](Duration idle) {
        IdleLearner learner;
        return learner.limit(close_each(learner, kStart, {idle, idle, idle}));
    };
    CHECK(limit_of(75s) == 74s);
    CHECK(limit_of(1s) == 800ms);
    CHECK(limit_of(200ms) == 100ms);
    CHECK(limit_of(100ms) == 50ms);
    CHECK_FALSE(limit_of(99ms).has_value());
}

TEST_CASE("a restart closes whatever there is, and that says nothing") {
    IdleLearner learner;
    Time now = kStart;
    for (int restart = 0; restart < 20; ++restart) {
        now += 1min;
        for (int i = 0; i < 30; ++i) learner.closed(150ms * (i + 1), now + i * 10ms);
    }
    CHECK_FALSE(learner.limit(now + 1min).has_value());
    now = close_each(learner, now + 1min, {5s, 5s, 5s});
    for (int i = 0; i < 30; ++i) learner.closed(150ms * (i + 1), now + i * 10ms);
    CHECK(learner.limit(now + 1min) == 4s);
}

TEST_CASE("single outliers do not hide the habit, nor become one") {
    IdleLearner learner;
    const Time now = close_each(learner, kStart, {300ms, 5s, 900ms, 5s, 60s, 5s, 2s});
    CHECK(learner.limit(now) == 4s);
}

TEST_CASE("connections that close together after alike times are one observation") {
    IdleLearner learner;
    for (int i = 0; i < 10; ++i) learner.closed(5s, kStart + i * 50ms);
    CHECK_FALSE(learner.limit(kStart + 5s).has_value());
}

TEST_CASE("a connection that was used after a longer time refutes shorter closes") {
    IdleLearner learner;
    Time now = close_each(learner, kStart, {1s, 1s});
    learner.reused(4s);
    now = close_each(learner, now, {1s, 1s});
    CHECK_FALSE(learner.limit(now).has_value());
    now = close_each(learner, now, {1s});
    CHECK(learner.limit(now).has_value());
    learner.reused(1400ms);
    CHECK(learner.limit(now).has_value());
    learner.reused(1501ms);
    CHECK_FALSE(learner.limit(now).has_value());
}

TEST_CASE("an app that becomes quicker to close is believed after three closes, at once if by little") {
    IdleLearner learner;
    Time now = close_each(learner, kStart, {75s, 75s, 75s, 75s, 75s, 75s, 75s, 75s});
    CHECK(learner.limit(now) == 74s);
    now = close_each(learner, now, {5s, 5s});
    CHECK(learner.limit(now) == 74s);
    now = close_each(learner, now, {5s});
    CHECK(learner.limit(now) == 4s);
    now = close_each(learner, now, {4500ms});
    CHECK(learner.limit(now) == 3600ms);
}

TEST_CASE("belief wears off, is confirmed by one close, and ends where none comes") {
    IdleLearner learner;
    Time now = close_each(learner, kStart, {5s, 5s, 5s});
    CHECK(learner.limit(now + 9min) == 4s);
    CHECK(learner.limit(now + 10min) == 9s);
    CHECK(learner.limit(now + 20min) == 19s);
    now = close_each(learner, now + 20min, {5s});
    CHECK(learner.limit(now) == 4s);
    CHECK(learner.limit(now + 50min) == 159s);
    CHECK_FALSE(learner.limit(now + 60min).has_value());
    CHECK_FALSE(learner.limit(close_each(learner, now + 1h, {5s})).has_value());
}

/// A pool of one connection, an app with a habit, and requests at random times.
TEST_CASE("whatever the habit: it is learnt from few closes, and what is believed is near it") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 100; ++round) {
        const Duration habit = std::chrono::milliseconds(500 + random() % 20'000);
        const bool looks_once_a_second = habit >= 2s && random() % 2 == 0;
        IdleLearner learner;
        Time now = kStart, last_close = kStart;
        int closes = 0, closes_until_known = 0;
        for (int step = 0; step < 400; ++step) {
            const Duration until_close =
                habit + std::chrono::milliseconds(looks_once_a_second ? random() % 1000 : random() % 5);
            const Duration until_request = std::chrono::milliseconds(random() % 30'000);
            const auto limit = learner.limit(now);
            const Duration until_retired = limit.value_or(1min);
            if (limit && closes_until_known == 0) closes_until_known = closes;
            if (limit && now - last_close < IdleLearner::kTrust) {
                // A fifth less than the shortest that was seen, which the app's own looking may have drawn
                // out.
                REQUIRE(*limit < habit + (looks_once_a_second ? 1s : 0s));
                REQUIRE(*limit >= habit / 2);
            }
            if (until_request < std::min(until_close, until_retired)) {
                learner.reused(until_request);
            } else if (until_close < until_retired) {
                learner.closed(until_close, now + until_close);
                last_close = now;
                ++closes;
            }
            now += 30s;
        }
        CHECK(closes_until_known >= 3);
        CHECK(closes_until_known <= (looks_once_a_second ? 5 : 3));
    }
}

}  // namespace
}  // namespace weir::policy
