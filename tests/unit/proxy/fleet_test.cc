#include "proxy/fleet.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;
using Standing = policy::Candidate::Standing;

const Time kStart{1h};

config::Settings settings_of(size_t servers) {
    config::Settings settings = wide_settings();
    settings.upstream.servers.assign(servers, settings.upstream.servers.front());
    settings.health.path = "/health";
    settings.health.passive = {.failures = 1, .window = 10s, .eject = 10s, .max_eject = 1min};
    return settings;
}

}  // namespace

TEST_CASE("a server that its checks found down takes no request, and one that was not asked does") {
    const config::Settings settings = settings_of(2);
    Fleet fleet(settings, 1);
    CHECK(fleet.candidate(0, kStart).standing == Standing::in);
    fleet.set_health(0, Fleet::Health::down, kStart);
    CHECK(fleet.candidate(0, kStart).standing == Standing::out);
    CHECK(fleet.candidate(1, kStart).standing == Standing::in);
    fleet.set_health(0, Fleet::Health::up, kStart);
    CHECK(fleet.candidate(0, kStart).standing == Standing::in);
}

TEST_CASE("an app is ready once one of its servers is known to be up, or where none is asked") {
    config::Settings settings = settings_of(2);
    Fleet asked(settings, 1);
    CHECK_FALSE(asked.is_ready());
    asked.set_health(1, Fleet::Health::up, kStart);
    CHECK(asked.is_ready());
    asked.set_health(1, Fleet::Health::down, kStart);
    CHECK_FALSE(asked.is_ready());
    settings.health.path.clear();
    CHECK(Fleet(settings, 1).is_ready());
}

TEST_CASE("an app is down once all of its servers are known to be") {
    const config::Settings settings = settings_of(2);
    Fleet fleet(settings, 1);
    fleet.set_health(0, Fleet::Health::down, kStart);
    CHECK_FALSE(fleet.is_down());
    fleet.set_health(1, Fleet::Health::down, kStart);
    CHECK(fleet.is_down());
}

TEST_CASE("a server that cannot be reached is told of once until it is reached, and every 10 s at most") {
    config::Settings settings = settings_of(2);
    settings.health.path.clear();
    Fleet fleet(settings, 1);
    CHECK_FALSE(fleet.note_reached(0));
    CHECK(fleet.note_unreachable(0, kStart));
    CHECK_FALSE(fleet.note_unreachable(0, kStart + 1h));
    CHECK(fleet.note_unreachable(1, kStart));
    CHECK(fleet.note_reached(0));
    CHECK_FALSE(fleet.note_reached(0));

    CHECK(fleet.note_unreachable(0, kStart + 2h));
    CHECK(fleet.note_reached(0));
    CHECK_FALSE(fleet.note_unreachable(0, kStart + 2h + 9s));
    CHECK(fleet.is_unreachable(0));
    CHECK_FALSE(fleet.note_reached(0));
    CHECK_FALSE(fleet.is_unreachable(0));
    CHECK_FALSE(fleet.note_unreachable(0, kStart + 2h + 9s));
    CHECK(fleet.note_unreachable(0, kStart + 2h + 10s));
}

TEST_CASE("of a server that is asked how it is, the checks alone tell") {
    const config::Settings settings = settings_of(1);
    Fleet fleet(settings, 1);
    CHECK_FALSE(fleet.note_unreachable(0, kStart));
    CHECK_FALSE(fleet.is_unreachable(0));
}

TEST_CASE("an ejected server takes no request until it is due to be probed") {
    const config::Settings settings = settings_of(3);
    Fleet fleet(settings, 1);
    auto attempt = fleet.ejections().enter(1, kStart);
    REQUIRE(attempt);
    CHECK(attempt->settle(false, kStart));
    CHECK(fleet.candidate(1, kStart + 1s).standing == Standing::out);
    CHECK(fleet.candidate(1, kStart + 11s).standing == Standing::in);
}

TEST_CASE("what was configured of a server is in its candidate, and who is inside it") {
    config::Settings settings = settings_of(1);
    settings.upstream.servers[0].weight = 7;
    settings.upstream.servers[0].max_in_flight = 2;
    Fleet fleet(settings, 1);
    CHECK(fleet.enter(0));
    CHECK(fleet.candidate(0, kStart).weight == 7);
    CHECK(fleet.candidate(0, kStart).in_flight == 1);
    CHECK_FALSE(fleet.candidate(0, kStart).is_full());
    CHECK(fleet.enter(0));
    CHECK(fleet.candidate(0, kStart).is_full());
    CHECK_FALSE(fleet.enter(0));
    fleet.leave(0);
    CHECK(fleet.in_flight(0) == 1);
}

TEST_CASE("a slow start follows a recovery, not the first time that a server is up") {
    config::Settings settings = settings_of(1);
    settings.upstream.servers[0].slow_start = 10s;
    Fleet fleet(settings, 1);
    fleet.set_health(0, Fleet::Health::up, kStart);
    CHECK(fleet.candidate(0, kStart).share == policy::Candidate::kFullShare);
    fleet.set_health(0, Fleet::Health::down, kStart);
    fleet.set_health(0, Fleet::Health::up, kStart + 1s);
    CHECK(fleet.candidate(0, kStart + 2s).share < policy::Candidate::kFullShare / 2);
    CHECK(fleet.candidate(0, kStart + 11s).share == policy::Candidate::kFullShare);
}

TEST_CASE("checks are counted for each server and by how they ended") {
    using policy::CheckResult;
    const config::Settings settings = settings_of(2);
    Fleet fleet(settings, 1);
    fleet.count_check(1, CheckResult::wrong_body);
    fleet.count_check(1, CheckResult::wrong_body);
    fleet.count_check(1, CheckResult::passed);
    CHECK(fleet.checks(1, CheckResult::wrong_body) == 2);
    CHECK(fleet.checks(1, CheckResult::passed) == 1);
    CHECK(fleet.checks(1, CheckResult::timed_out) == 0);
    CHECK(fleet.checks(0, CheckResult::wrong_body) == 0);
}

TEST_CASE("a server's cap holds exactly, however many threads enter at once") {
    config::Settings settings = settings_of(1);
    settings.upstream.servers[0].max_in_flight = 3;
    Fleet fleet(settings, 4);
    std::atomic<int> inside = 0;
    std::atomic<bool> was_above = false;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&] {
            for (int round = 0; round < 20'000; ++round) {
                if (!fleet.enter(0)) continue;
                if (inside.fetch_add(1) >= 3) was_above = true;
                inside.fetch_sub(1);
                fleet.leave(0);
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK_FALSE(was_above);
    CHECK(fleet.in_flight(0) == 0);
}

TEST_CASE("connections are bounded by the global cap and by the server's own, whichever is less") {
    config::Settings settings = settings_of(2);
    settings.upstream.servers[1].max_in_flight = 2;
    Fleet fleet(settings, 1);
    const auto bounds = [&] {
        fleet.bound_connections(settings);
        return std::pair(fleet.berths(0)->bound(), fleet.berths(1)->bound());
    };
    CHECK(bounds() == std::pair(Berths::kUnbounded, 2U));
    settings.limits.concurrency = 7;
    CHECK(bounds() == std::pair(7U, 2U));
    settings.limits.concurrency = 1;
    CHECK(bounds() == std::pair(1U, 1U));
    settings.limits.mode.value = config::Mode::shadow;
    CHECK(bounds() == std::pair(Berths::kUnbounded, 2U));
    settings.limits.mode.value = config::Mode::off;
    CHECK(bounds() == std::pair(Berths::kUnbounded, 2U));
}

namespace {

void fail_once(Fleet& fleet, size_t server, Time now) {
    auto attempt = fleet.ejections().enter(server, now);
    REQUIRE(attempt);
    (void)attempt->settle(false, now);
}

}  // namespace

TEST_CASE("under another plan no more servers are left out, with those that are down, than before") {
    config::Settings settings = settings_of(2);
    settings.upstream.servers[1].address.port = 5001;
    Fleet before(settings, 1);
    before.set_health(0, Fleet::Health::down, kStart);
    Fleet after(settings, 1, nullptr, &before);
    fail_once(after, 1, kStart);
    CHECK(after.candidate(0, kStart).standing == Standing::out);
    CHECK(after.candidate(1, kStart).standing == Standing::in);
}

TEST_CASE("a server that stays has the same berths under another plan") {
    config::Settings settings = settings_of(1);
    Fleet before(settings, 1);
    settings.health.fall = 7;
    Fleet after(settings, 1, nullptr, &before);
    CHECK(after.berths(0) == before.berths(0));
    settings.upstream.servers[0].address.port = 5001;
    CHECK(Fleet(settings, 1, nullptr, &before).berths(0) != before.berths(0));
}

}  // namespace weir::proxy
