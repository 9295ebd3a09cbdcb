#include "proxy/rules.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "loading.h"

namespace weir::proxy {

namespace {

constexpr HashSeed kSeed{1, 2};
constexpr Time kNow{std::chrono::hours(1)};

/// Two configurations, the second in force after the first.
struct Reloaded {
    Reloaded(const std::string& first, const std::string& second)
        : was(config::load_well(first).settings), is(config::load_well(second).settings) {}

    config::Settings was, is;
    Rules before{was, kSeed};
    Rules after{is, kSeed, &before};
};

const RateGate& first_rate(const Rules& rules, size_t scope) {
    const Scope& of = rules.scopes()[scope];
    return of.enforced.empty() ? *of.shadowed.front() : *of.enforced.front();
}

const ConcurrencyGate& first_cap(const Rules& rules) { return *rules.caps().front(); }

}  // namespace

TEST_CASE("a rate remembers its clients for as long as nothing changes that its counts depend on") {
    struct Row {
        const char* change;
        std::string after;
        bool remembers;
    };
    const std::string routes = "routes: [{match: {path: /a}, name: a}, {match: {path: /b}, name: b}]\n";
    const std::string swapped = "routes: [{match: {path: /b}, name: b}, {match: {path: /a}, name: a}]\n";
    const std::string before = "limits: {rate: [{limit: 5/min, burst: 3, name: x}]}\n" + routes;
    const std::array<Row, 11> rows{{
        {"nothing", before, true},
        {"something else", before + "timeout: 7s\n", true},
        {"the order of routes, which its key does not name",
         "limits: {rate: [{limit: 5/min, burst: 3, name: x}]}\n" + swapped, true},
        {"its mode", "limits: {rate: [{limit: 5/min, burst: 3, name: x, mode: shadow}]}\n" + routes, true},
        {"its cost", "limits: {rate: [{limit: 5/min, burst: 3, name: x, cost: 2}]}\n" + routes, true},
        {"its limit", "limits: {rate: [{limit: 6/min, burst: 3, name: x}]}\n" + routes, false},
        {"its burst", "limits: {rate: [{limit: 5/min, burst: 4, name: x}]}\n" + routes, false},
        {"its name", "limits: {rate: [{limit: 5/min, burst: 3, name: y}]}\n" + routes, false},
        {"its key", "limits: {rate: [{limit: 5/min, burst: 3, name: x, key: all}]}\n" + routes, false},
        {"how many it remembers",
         "limits: {keys: 50000, rate: [{limit: 5/min, burst: 3, name: x}]}\n" + routes, false},
        {"who a client is", before + "clients: {ipv6_prefix: 56}\n", false},
    }};
    for (const Row& row : rows) {
        INFO(row.change);
        const Reloaded rules(before, row.after);
        CHECK((first_rate(rules.before, 0).rule == first_rate(rules.after, 0).rule) == row.remembers);
    }
}

TEST_CASE("a rate whose key names the route begins anew where routes change places") {
    const auto with = [](const std::string& routes) {
        return "limits: {rate: [{limit: 5/min, key: [client, route]}]}\nroutes: [" + routes + "]\n";
    };
    const std::string a = "{match: {path: /a}, name: a}";
    const std::string b = "{match: {path: /b}, name: b}";
    const Reloaded same(with(a + "," + b), with(a + "," + b));
    CHECK(first_rate(same.before, 0).rule == first_rate(same.after, 0).rule);
    const Reloaded swapped(with(a + "," + b), with(b + "," + a));
    CHECK(first_rate(swapped.before, 0).rule != first_rate(swapped.after, 0).rule);
}

TEST_CASE("rates of two routes remember apart, whatever they are called") {
    const std::string yaml =
        "routes:\n"
        "  - {match: {path: /a}, name: a, limits: {rate: {limit: 5/min, name: x}}}\n"
        "  - {match: {path: /b}, name: b, limits: {rate: {limit: 5/min, name: x}}}\n";
    const Reloaded rules(yaml, yaml);
    for (size_t route : {1U, 2U})
        CHECK(first_rate(rules.before, route).rule == first_rate(rules.after, route).rule);
    CHECK(first_rate(rules.after, 1).rule != first_rate(rules.after, 2).rule);
}

TEST_CASE("a cap keeps who is inside and who waits, and has its new numbers once they are in force") {
    const std::string before = "limits: {concurrency: 4, queue: {size: 10}, memory: 64MiB}\n";
    const std::string after =
        "limits: {concurrency: 8, per_client_concurrency: 2, queue: {size: 5}, memory: 32MiB}\n";
    Reloaded rules(before, after);
    REQUIRE(first_cap(rules.before).group == first_cap(rules.after).group);
    CHECK(first_cap(rules.after).group->figures().slots == 4);
    rules.after.take_effect(kNow);
    CHECK(first_cap(rules.after).group->figures().slots == 8);
    CHECK(first_cap(rules.after).group->figures().queue_room == 5);
    CHECK(first_cap(rules.after).limits.per_client == 2);
    CHECK(first_cap(rules.after).limits.queue.bytes == size_t{16} << 20);
}

TEST_CASE("a cap in shadow keeps who is inside where its room stays, slots and places together") {
    const std::string before = "limits: {mode: shadow, concurrency: 2, queue: {size: 3}}\n";
    const Reloaded same(before, before);
    REQUIRE(first_cap(same.before).shadow == first_cap(same.after).shadow);
    std::array<policy::ShadowCap::Seat, 5> seats;
    for (auto& seat : seats) CHECK((seat = first_cap(same.before).shadow->enter()));
    CHECK_FALSE(first_cap(same.after).shadow->enter());
    const Reloaded wider(before, "limits: {mode: shadow, concurrency: 2, queue: {size: 4}}\n");
    CHECK(first_cap(wider.before).shadow != first_cap(wider.after).shadow);
}

TEST_CASE("routes of a group share one cap, which stays when one of them goes") {
    const std::string both =
        "routes:\n"
        "  - {match: {path: /a}, name: a, limits: {group: slow, concurrency: 2}}\n"
        "  - {match: {path: /b}, name: b, limits: {group: slow}}\n";
    const std::string one = "routes: [{match: {path: /b}, name: b, limits: {group: slow, concurrency: 2}}]\n";
    const Reloaded rules(both, one);
    const Scope* a = rules.before.scope_named("a");
    const Scope* b = rules.before.scope_named("b");
    REQUIRE(a->caps.size() == 1);
    REQUIRE(b->caps.size() == 1);
    CHECK(a->caps[0].gate == b->caps[0].gate);
    CHECK(rules.after.scope_named("b")->caps[0].gate->group == b->caps[0].gate->group);
}

}  // namespace weir::proxy
