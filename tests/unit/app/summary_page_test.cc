#include "app/summary_page.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "app/watched_parts.h"

namespace weir::app {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr Time kNow = Time(std::chrono::seconds(160));

json summary_of(const WatchedParts& parts) { return json::parse(summary_json(parts.overview, kNow)); }

}  // namespace

TEST_CASE("before anything has happened everything is zero, and well") {
    WatchedParts parts;
    const json summary = summary_of(parts);
    CHECK(summary["status"] == "ok");
    CHECK(summary["uptime"] == 60);
    CHECK(summary["requests"]["ended"] == 0);
    CHECK(summary["requests"]["in_progress"] == 0);
    CHECK(summary["requests"]["by_status"] ==
          json{{"1xx", 0}, {"2xx", 0}, {"3xx", 0}, {"4xx", 0}, {"5xx", 0}});
    CHECK(summary["refused"] == json::object());
    CHECK(summary["refused_in_shadow"] == 0);
    CHECK(summary["clients"] == json{{"connections", 0}, {"most", parts.settings.clients.max_connections}});
    CHECK(summary["memory"]["most_bytes"] == 1 << 20);
}

TEST_CASE("requests of all routes and workers are added up, by status, reason and time") {
    WatchedParts parts;
    proxy::AccessRecord answered;
    answered.status = 204;
    answered.total = milliseconds(7);
    answered.slot_wait = milliseconds(0);
    answered.upstream = milliseconds(6);
    parts.workers[0]->begin();
    parts.workers[0]->begin();
    parts.workers[0]->note(parts.rules.scopes()[0], answered);
    proxy::AccessRecord refused;
    refused.status = 429;
    refused.refusal = http::Reason::rate_limited;
    refused.rule = "per-min";
    for (const proxy::Scope& scope : parts.rules.scopes()) {
        parts.workers[1]->begin();
        parts.workers[1]->note(scope, refused);
    }
    refused = {};
    refused.status = 400;
    refused.refusal = http::Reason::bad_request;
    refused.shadow_refusals.set(0).set(1);
    parts.workers[1]->begin();
    parts.workers[1]->note(parts.rules.scopes()[0], refused);

    const json summary = summary_of(parts);
    CHECK(summary["requests"]["ended"] == 4);
    CHECK(summary["requests"]["in_progress"] == 1);
    CHECK(summary["requests"]["by_status"]["2xx"] == 1);
    CHECK(summary["requests"]["by_status"]["4xx"] == 3);
    CHECK(summary["refused"] == json{{"rate_limited", 2}, {"bad_request", 1}});
    CHECK(summary["refused_in_shadow"] == 2);
    const json& durations = summary["durations"];
    CHECK(durations["bounds"].size() + 1 == durations["request"].size());
    const auto total = [](const json& counts) {
        int sum = 0;
        for (const auto& each : counts) sum += int(each);
        return sum;
    };
    CHECK(total(durations["request"]) == 4);
    CHECK(total(durations["queue"]) == 1);
    CHECK(total(durations["app"]) == 1);
    CHECK(durations["app"][6] == 1);  // above 5 ms, up to 10 ms
}

TEST_CASE("a server is up until checks or requests say otherwise") {
    config::Settings settings = proxy::limited_settings();
    settings.upstream.servers.push_back({.address = {.host = "127.0.0.1", .port = 5002, .path = {}}});
    settings.health.passive = {.failures = 1,
                               .window = std::chrono::seconds(10),
                               .eject = std::chrono::seconds(10),
                               .max_eject = std::chrono::seconds(10)};
    WatchedParts parts(settings);
    parts.fleet.set_health(0, proxy::Fleet::Health::down, kNow);
    REQUIRE(parts.fleet.enter(2));
    const json servers = summary_of(parts)["servers"];
    REQUIRE(servers.size() == 3);
    CHECK(servers[0]["state"] == "down");
    CHECK(servers[1]["state"] == "up");
    CHECK(servers[1]["server"] == "127.0.0.1:5001");
    CHECK(servers[2]["in_flight"] == 1);
    parts.fleet.leave(2);
}

TEST_CASE("a server that no connection can be opened to is said to be unreachable until one can") {
    WatchedParts parts(proxy::limited_settings());
    CHECK(parts.fleet.note_unreachable(0, kNow));
    CHECK(summary_of(parts)["servers"][0]["state"] == "unreachable");
    CHECK(parts.fleet.note_reached(0));
    CHECK(summary_of(parts)["servers"][0]["state"] == "up");
}

TEST_CASE("limits are told of as they are written, the global ones and what a route adds") {
    config::Settings settings = proxy::limited_settings();
    settings.limits.rates[0].burst = 120;
    settings.limits.queue.wait.value = std::chrono::seconds(5);
    settings.limits.per_client_concurrency = 3;
    settings.limits.body_bytes.value = 10 << 20;
    settings.routes[0].limits.is_exempt = true;
    const json limits = json::parse(limits_json(settings));
    const json& global = limits["global"];
    CHECK(global["mode"] == "enforce");
    CHECK(global["rates"] ==
          json::array({{{"name", "per-min"}, {"limit", "60/min"}, {"mode", "enforce"}, {"burst", 120}}}));
    CHECK(global["concurrency"] == 4);
    CHECK(global["queue"] == json{{"size", 10}, {"wait", "5s"}});
    CHECK(global["per_client_concurrency"] == 3);
    CHECK(global["body"] == "10MiB");
    REQUIRE(limits["routes"].size() == 1);
    CHECK(limits["routes"][0]["name"] == "reports");
    CHECK(limits["routes"][0]["concurrency"] == 2);
    CHECK(limits["routes"][0]["timeout"] == "1h");
    CHECK(limits["routes"][0]["is_exempt"] == true);
    REQUIRE(limits["shadow"].size() == 2);
    CHECK(limits["shadow"][1] == json{{"name", "tighter"}, {"limit", "20/min"}, {"mode", "shadow"}});
}

}  // namespace weir::app
