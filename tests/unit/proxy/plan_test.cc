#include "proxy/plan.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "proxy/limited_settings.h"

namespace weir::proxy {

TEST_CASE("the app is told the client's host, the configured one, or in need its own") {
    http::RequestHead named;
    named.authority = "app.example";
    const http::RequestHead nameless;
    {
        WorkerParts parts;
        CHECK(parts.kit().plan().host_for(named).empty());
        CHECK(parts.kit().plan().host_for(nameless) == "127.0.0.1:5000");
    }
    {
        WorkerParts parts;
        parts.settings.upstream.host = "legacy.internal";
        CHECK(parts.kit().plan().host_for(named) == "legacy.internal");
        CHECK(parts.kit().plan().host_for(nameless) == "legacy.internal");
    }
    {
        WorkerParts parts;
        parts.settings.upstream.servers[0].address = {.host = {}, .port = 0, .path = "/run/app.sock"};
        CHECK(parts.kit().plan().host_for(nameless) == "localhost");
    }
}

TEST_CASE("a plan lives as long as somebody finishes with it") {
    const auto plan_with_total = [](Duration total) {
        config::Settings settings = wide_settings();
        settings.timeout.total = total;
        return std::make_shared<Plan>(settings, Surroundings{.seed = HashSeed{1, 2}});
    };
    using namespace std::chrono_literals;
    Plans plans(plan_with_total(1s));
    PlanPin begun = plans.pin();
    CHECK(plans.is_current(begun));

    plans.adopt(plan_with_total(2s));
    CHECK_FALSE(plans.is_current(begun));
    CHECK(begun->settings.timeout.total == 1s);
    CHECK(plans.current().settings.timeout.total == 2s);
    PlanPin moved = std::move(begun);
    plans.sweep();
    CHECK(plans.size() == 2);

    moved = plans.pin();
    plans.sweep();
    CHECK(plans.size() == 1);
    CHECK(moved->settings.timeout.total == 2s);
}

TEST_CASE(
    "a worker that adopts a plan late leaves no room behind that the servers had under the one before") {
    const auto plan_with_room = [](size_t each, const Plan* before) {
        config::Settings settings = limited_settings();
        for (config::Server& server : settings.upstream.servers) server.max_in_flight = each;
        return std::make_shared<Plan>(settings, Surroundings{.seed = HashSeed{1, 2}}, before);
    };
    const Time now{std::chrono::hours(1)};
    const auto before = plan_with_room(4, nullptr);
    before->rules.set_server_room(4, now);
    const auto after = plan_with_room(8, before.get());
    after->rules.take_effect(now);
    before->rules.set_server_room(8, now);  // a server came back
    after->rules.set_server_room(16, now);
    const auto& caps = after->rules.caps();
    const auto of_servers =
        std::ranges::find_if(caps, [](const auto& cap) { return cap->owner == "servers"; });
    REQUIRE(of_servers != caps.end());
    CHECK((*of_servers)->group->figures().slots == 16);
}

}  // namespace weir::proxy
