#include "app/state_pages.h"

#include <doctest/doctest.h>

#include <utility>

#include <nlohmann/json.hpp>

#include "app/watched_parts.h"

namespace weir::app {

namespace {

using nlohmann::json;
using Health = proxy::Fleet::Health;

constexpr Time kNow = Time(std::chrono::seconds(100));

config::Settings with_checks() {
    config::Settings settings = proxy::limited_settings();
    settings.health.path = "/healthz";
    return settings;
}

}  // namespace

TEST_CASE("where no server is asked weir is ready, and does not claim that the app is up") {
    const WatchedParts parts;
    CHECK(is_ready(parts.overview));
    CHECK(status_of(parts.overview) == "ok");
    CHECK(upstream_state(parts.overview) == "unknown");
}

TEST_CASE("one server that is up is enough, and none that is known to be is not") {
    WatchedParts parts(with_checks());
    CHECK_FALSE(is_ready(parts.overview));
    for (const auto& [first, second, is_up] : {std::tuple{Health::up, Health::down, true},
                                               {Health::down, Health::up, true},
                                               {Health::up, Health::up, true},
                                               {Health::down, Health::down, false},
                                               {Health::unknown, Health::down, false}}) {
        parts.fleet.set_health(0, first, kNow);
        parts.fleet.set_health(1, second, kNow);
        CHECK(is_ready(parts.overview) == is_up);
        CHECK(status_of(parts.overview) == (is_up ? "ok" : "unavailable"));
        CHECK(upstream_state(parts.overview) == (is_up ? "up" : "down"));
    }
}

TEST_CASE("draining goes before all else, and says nothing of the app") {
    WatchedParts parts(with_checks());
    for (const Health health : {Health::up, Health::down}) {
        parts.fleet.set_health(0, health, kNow);
        parts.is_draining = true;
        CHECK_FALSE(is_ready(parts.overview));
        CHECK(status_of(parts.overview) == "draining");
        CHECK(upstream_state(parts.overview) == (health == Health::up ? "up" : "down"));
    }
}

TEST_CASE("the uptime is whole seconds since the start, rounded down") {
    const WatchedParts parts;
    CHECK(uptime_seconds(parts.overview, kNow) == 0);
    CHECK(uptime_seconds(parts.overview, kNow + std::chrono::milliseconds(1999)) == 1);
    const json health = json::parse(health_json(parts.overview, kNow + std::chrono::hours(24)));
    CHECK(health["uptime"] == 86400);
    CHECK(health.size() == 4);
}

TEST_CASE("a cap without slots of its own is never said to be in use") {
    config::Settings settings = proxy::limited_settings();
    settings.limits.concurrency.reset();
    settings.limits.queue.size.value = 0;
    settings.routes.clear();
    const WatchedParts none(settings);
    CHECK(json::parse(stats_json(none.overview)) == json::object());

    settings.limits.concurrency = 2;
    WatchedParts parts(settings);
    policy::Place first([](void*) noexcept {}, nullptr);
    policy::Place second([](void*) noexcept {}, nullptr);
    auto& group = *parts.rules.caps()[0]->group;
    const auto one = group.acquire(first, {.client = 1}, kNow);
    CHECK(json::parse(stats_json(parts.overview))["concurrency"]["utilizationPercent"] == 50);
    const auto two = group.acquire(second, {.client = 1}, kNow);
    const json full = json::parse(stats_json(parts.overview))["concurrency"];
    CHECK(full["utilizationPercent"] == 100);
    CHECK(full["activeProcesses"] == 2);
    group.set_limits({.slots = 0, .queue = {}}, kNow);
    CHECK(json::parse(stats_json(parts.overview))["concurrency"]["utilizationPercent"] == 0);
}

TEST_CASE("what a cap has done, and the longest queue before it, is remembered") {
    config::Settings settings = proxy::limited_settings();
    settings.limits.concurrency = 1;
    settings.limits.queue.wait.value = std::chrono::seconds(5);
    WatchedParts parts(settings);
    auto& group = *parts.rules.caps()[0]->group;
    policy::Place first([](void*) noexcept {}, nullptr);
    policy::Place second([](void*) noexcept {}, nullptr);
    auto inside = group.acquire(first, {.client = 1}, kNow);
    const auto waits = group.acquire(second, {.client = 2}, kNow);
    REQUIRE(std::holds_alternative<policy::Waiting>(waits));
    CHECK(json::parse(stats_json(parts.overview))["concurrency"]["queuedTasks"] == 1);
    std::get<policy::Permit>(inside).settle(kNow + std::chrono::milliseconds(20));
    auto next = group.claim(second);
    REQUIRE(std::holds_alternative<policy::Permit>(next));
    std::get<policy::Permit>(next).settle(kNow + std::chrono::milliseconds(40));
    const json stats = json::parse(stats_json(parts.overview))["concurrency"];
    CHECK(stats["activeProcesses"] == 0);
    CHECK(stats["queuedTasks"] == 0);
    CHECK(stats["totalProcessed"] == 2);
    CHECK(stats["peakQueueSize"] == 1);
}

}  // namespace weir::app
