#include "policy/health_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using State = HealthCheck::State;

constexpr Time kStart{1000s};
constexpr uint32_t kMiddle = 1U << 31;  ///< no jitter

config::Health usual() {
    config::Health health;
    health.interval = 5s;
    health.timeout = 2s;
    health.rise = 2;
    health.fall = 3;
    return health;
}

/// One server whose checks take no time, without jitter.
struct Checked {
    explicit Checked(const config::Health& health) : check(health, kStart) {}

    /// The time from the start of this check to the start of the next.
    Duration see(CheckResult result, Duration takes = 0s) {
        const Time begun = check.next();
        check.begin(begun);
        changed = check.conclude(result, begun + takes, kMiddle);
        return check.next() - begun;
    }
    Duration pass() { return see(CheckResult::passed); }
    Duration miss() { return see(CheckResult::timed_out); }

    HealthCheck check;
    bool changed = false;
};

Checked one_that_is_up() {
    Checked server(usual());
    server.pass();
    return server;
}

Checked one_that_is_down() {
    Checked server(usual());
    for (int i = 0; i < 3; ++i) server.miss();
    return server;
}

TEST_CASE("a server is unknown until its first check passes, and that is due at once") {
    Checked server(usual());
    CHECK(server.check.state() == State::unknown);
    CHECK(server.check.next() == kStart);
    CHECK_FALSE(server.check.last().has_value());
    server.pass();
    CHECK(server.changed);
    CHECK(server.check.state() == State::up);
    CHECK(server.check.last() == CheckResult::passed);
}

TEST_CASE("a server that has never passed is down after as many failures as one that was up") {
    Checked server(usual());
    server.miss();
    server.miss();
    CHECK(server.check.state() == State::unknown);
    server.miss();
    CHECK(server.changed);
    CHECK(server.check.state() == State::down);
}

TEST_CASE("a state changes by results in a row, and one of the other kind begins the count anew") {
    Checked server = one_that_is_up();
    server.miss();
    server.miss();
    server.pass();
    server.miss();
    server.miss();
    CHECK(server.check.state() == State::up);
    const Time at = server.check.next();
    server.miss();
    CHECK(server.check.state() == State::down);
    CHECK(server.check.since() == at);
    CHECK(server.check.last() == CheckResult::timed_out);
    server.pass();
    server.miss();
    server.pass();
    CHECK(server.check.state() == State::down);
    server.pass();
    CHECK(server.check.state() == State::up);
}

TEST_CASE("checks come at the interval while a state holds, and five times as often while it is open") {
    Checked server(usual());
    CHECK(server.miss() == 1s);
    CHECK(server.pass() == 5s);
    CHECK(server.pass() == 5s);
    CHECK(server.miss() == 1s);
    CHECK(server.pass() == 5s);
    Checked down = one_that_is_down();
    for (int i = 0; i < 10; ++i) down.miss();
    CHECK(down.pass() == 1s);
    CHECK(down.pass() == 5s);
}

TEST_CASE("a server that goes down is asked soon again, and then less and less often, down to the interval") {
    Checked server = one_that_is_up();
    server.miss();
    server.miss();
    CHECK(server.miss() == 1s);
    CHECK(server.check.state() == State::down);
    CHECK(server.miss() == 2s);
    CHECK(server.miss() == 4s);
    CHECK(server.miss() == 5s);
    for (int i = 0; i < 1000; ++i) CHECK(server.miss() == 5s);
}

TEST_CASE("the quick pace is not below a quarter of a second, and never slower than the interval") {
    config::Health health = usual();
    health.interval = 1s;
    CHECK(Checked(health).miss() == 250ms);
    health.interval = 250ms;
    CHECK(Checked(health).miss() == 250ms);
}

TEST_CASE("a check that takes long is followed by a rest, and none begins while one is under way") {
    Checked server(usual());
    CHECK(server.see(CheckResult::timed_out, 2s) == 2s + HealthCheck::kQuickest);
    server.check.begin(server.check.next());
    CHECK(server.check.next() == kNever);
    server.check.hurry(kStart + 1h);
    CHECK(server.check.next() == kNever);
}

TEST_CASE("a check that was given up counts for nothing") {
    Checked server = one_that_is_up();
    for (int i = 0; i < 10; ++i) {
        const Time begun = server.check.next();
        server.check.begin(begun);
        server.check.abandon(begun, kMiddle);
        CHECK(server.check.next() == begun + 5s);
    }
    CHECK(server.check.state() == State::up);
    CHECK(server.check.last() == CheckResult::passed);
}

TEST_CASE("a hint brings the next check forward to the quick pace, not beyond it, and delays none") {
    Checked server = one_that_is_up();
    server.pass();
    const Time begun = server.check.next() - 5s;
    server.check.hurry(begun + 10ms);
    CHECK(server.check.next() == begun + 1s);
    server.check.hurry(begun + 3s);
    CHECK(server.check.next() == begun + 1s);

    Checked idle = one_that_is_up();
    const Time planned = idle.check.next();
    idle.check.hurry(planned - 2s);
    CHECK(idle.check.next() == planned - 2s);

    Checked slow(usual());
    slow.see(CheckResult::timed_out, 2s);
    const Time rested = slow.check.next();
    slow.check.hurry(rested - 200ms);
    CHECK(slow.check.next() == rested);
}

TEST_CASE("an answer passes by its status and by the text in it") {
    config::Expect expect;
    expect.statuses = {{200, 204}, {302, 302}};
    CHECK(judge(expect, 200, "") == CheckResult::passed);
    CHECK(judge(expect, 204, "") == CheckResult::passed);
    CHECK(judge(expect, 302, "x") == CheckResult::passed);
    for (const unsigned status : {0U, 101U, 199U, 205U, 301U, 303U, 503U})
        CHECK(judge(expect, status, "ok") == CheckResult::wrong_status);
    expect.body = "\"ok\"";
    CHECK(judge(expect, 200, "{\"status\": \"ok\"}") == CheckResult::passed);
    CHECK(judge(expect, 200, "{\"status\": \"down\"}") == CheckResult::wrong_body);
    CHECK(judge(expect, 200, "") == CheckResult::wrong_body);
    CHECK(judge(expect, 500, "\"ok\"") == CheckResult::wrong_status);
}

TEST_CASE("whatever is seen: states follow from the last results alone, and checks keep their pace") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        config::Health health = usual();
        health.interval = std::chrono::milliseconds(250 + random() % 10'000);
        health.rise = static_cast<unsigned>(1 + random() % 5);
        health.fall = static_cast<unsigned>(1 + random() % 5);
        HealthCheck check(health, kStart);
        std::vector<bool> seen;
        auto all_of_last = [&](size_t count, bool passed) {
            if (seen.size() < count) return false;
            return std::all_of(seen.end() - static_cast<ptrdiff_t>(count), seen.end(),
                               [&](bool each) { return each == passed; });
        };
        State expected = State::unknown;
        const auto odds = random() % 10;
        for (int step = 0; step < 200; ++step) {
            const Time begun = check.next();
            check.begin(begun);
            const Time ended = begun + std::chrono::milliseconds(random() % 3 == 0 ? random() % 2000 : 0);
            const bool passed = random() % 10 < odds;
            seen.push_back(passed);
            const State before = expected;
            if (expected == State::unknown && passed) expected = State::up;
            if (expected == State::down && all_of_last(health.rise, true)) expected = State::up;
            if (expected != State::down && all_of_last(health.fall, false)) expected = State::down;
            CHECK(check.conclude(passed ? CheckResult::passed : CheckResult::broken, ended,
                                 static_cast<uint32_t>(random())) == (expected != before));
            REQUIRE(check.state() == expected);
            CHECK(check.next() >= ended + HealthCheck::kQuickest);
            CHECK(check.next() <=
                  std::max<Time>(begun + health.interval * 11 / 10, ended + HealthCheck::kQuickest));
            if (check.state() == State::up && passed) CHECK(check.next() >= begun + health.interval * 9 / 10);
        }
    }
}

TEST_CASE("jitter spreads checks evenly over a tenth of the interval on either side") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    HealthCheck check(usual(), kStart);
    Duration sum{}, least = 1h, most{};
    constexpr int kChecks = 10'000;
    for (int i = 0; i < kChecks; ++i) {
        const Time begun = check.next();
        check.begin(begun);
        CHECK(check.conclude(CheckResult::passed, begun, static_cast<uint32_t>(random())) == (i == 0));
        const Duration gap = check.next() - begun;
        sum += gap;
        least = std::min(least, gap);
        most = std::max(most, gap);
    }
    CHECK(least >= 4500ms);
    CHECK(least < 4510ms);
    CHECK(most <= 5500ms);
    CHECK(most > 5490ms);
    CHECK(std::chrono::duration<double>(sum / kChecks).count() == doctest::Approx(5.0).epsilon(0.01));
}

}  // namespace
}  // namespace weir::policy
