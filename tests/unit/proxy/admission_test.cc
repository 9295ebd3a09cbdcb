#include "proxy/admission.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "loading.h"

using namespace std::chrono_literals;

namespace weir::proxy {

namespace {

/// A configuration's rules, and what they say to requests of users who tell themselves apart by a field.
class Asked {
  public:
    explicit Asked(const std::string& yaml) : Asked("clients: {key: \"header:X-User\"}\n", yaml) {}
    Asked(const std::string& clients, const std::string& yaml)
        : settings_(config::load_well(clients + yaml).settings), rules_(settings_, HashSeed{1, 2}) {}

    struct Told {
        std::string names;  ///< of the rules that refuse, or would, with a comma between them; "": all admit
        Duration retry_after;
    };

    /// Any thread may ask.
    Told ask(std::string_view user, size_t route, Time now) {
        http::RequestHead head;
        head.fields = {{.name = "X-User", .value = user}};
        policy::RouteMatch match{.index = static_cast<uint32_t>(route)};
        const Scope& scope = rules_.scope_of(route < settings_.routes.size() ? &match : nullptr);
        const policy::RequestView view = view_of(scope, head, {});
        RateVerdict verdict = ask_rates(scope, view, rules_.client_of(view), now);
        std::string names(verdict.refused_by != nullptr ? verdict.refused_by->name : "");
        for (size_t n = 0; n < scope.shadow_names.size(); ++n) {
            if (!verdict.shadow_refusals.test(n)) continue;
            names.append(names.empty() ? "" : ",").append(scope.shadow_names[n]);
        }
        return {.names = names, .retry_after = verdict.retry_after};
    }

    std::string say(std::string_view user, size_t route, Time now) { return ask(user, route, now).names; }

  private:
    config::Settings settings_;
    Rules rules_;
};

std::string rules_in(const std::string& mode) {
    return "limits: {mode: " + mode +
           ", rate: [7/s, {limit: 40/min, burst: 12, name: bucket}, {limit: 60/min, key: all, cost: 3}]}\n"
           "routes:\n"
           "  - {match: {path: /a}, limits: {rate: [{limit: 4/s, name: own}]}}\n"
           "  - {match: {path: /b}, limits: {rate: none}}\n";
}

}  // namespace

TEST_CASE(
    "limits in shadow would refuse the very requests that they refuse when enforced, by the same rule") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    Asked enforced(rules_in("enforce"));
    Asked shadowed(rules_in("shadow"));
    Time now{1h};
    size_t refusals = 0;
    for (int i = 0; i < 20000; ++i) {
        now += std::chrono::milliseconds(random() % 8 == 0 ? random() % 2000 : random() % 50);
        const std::string user(1, static_cast<char>('a' + random() % 3));
        const size_t route = random() % 3;
        const std::string refused = enforced.say(user, route, now);
        REQUIRE(shadowed.say(user, route, now) == refused);
        refusals += refused.empty() ? 0 : 1;
    }
    CHECK(refusals > 1000);
    CHECK(refusals < 19000);
}

TEST_CASE("who is refused is told when it will be admitted, to the nanosecond") {
    Asked rules("limits: {rate: [2/s, {limit: 3/min, name: slow}]}\n");
    const Time now{1h};
    CHECK(rules.say("a", 9, now).empty());
    CHECK(rules.say("a", 9, now + 1ns).empty());
    const auto second = rules.ask("a", 9, now + 10ms);
    CHECK(second.names == "per-sec");
    const Time third = now + 10ms + second.retry_after;
    CHECK(rules.ask("a", 9, third - 1ns).retry_after == 1ns);
    CHECK(rules.say("a", 9, third).empty());
    const auto slow = rules.ask("a", 9, third + 2s);
    CHECK(slow.names == "slow");
    const Time fourth = third + 2s + slow.retry_after;
    const auto just_before = rules.ask("a", 9, fourth - 1ns);
    CHECK(just_before.names == "slow");
    CHECK(just_before.retry_after == 1ns);
    CHECK(rules.say("a", 9, fourth).empty());
}

TEST_CASE("a rate that is in shadow by itself counts as if it alone were enforced too") {
    Asked rules(
        "limits: {rate: [4/min, {limit: 3/hour, name: own, mode: shadow}]}\nshadow: {name: tighter, rate: "
        "1/min}\n");
    const Time now{1h};
    CHECK(rules.say("a", 9, now).empty());
    CHECK(rules.say("a", 9, now) == "tighter");
    CHECK(rules.say("a", 9, now) == "tighter");
    CHECK(rules.say("a", 9, now) == "own,tighter");
    CHECK(rules.say("a", 9, now) == "per-min");
    CHECK(rules.say("b", 9, now).empty());
}

namespace {

/// Five users who ask for one route or another at random, and what they are told.
struct Crowd {
    size_t number;
    std::mt19937 random;
    std::vector<std::string> told;

    void ask(Asked& rules, Time now) {
        for (size_t user = 0; user < 5; ++user)
            for (size_t left = random() % 4; left > 0; --left)
                told.push_back(rules.say(fmt::format("{}-{}", number, user), random() % 3, now));
    }
};

std::vector<Crowd> crowds(uint32_t seed) {
    std::vector<Crowd> made;
    for (uint32_t number = 0; number < 4; ++number) made.push_back({number, std::mt19937(seed + number), {}});
    return made;
}

}  // namespace

TEST_CASE("four threads with users of their own are told what one thread is told for all of them") {
    constexpr int kSteps = 300;
    constexpr Duration kStep = 133ms;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    const std::string yaml =
        "limits: {rate: [7/s, {limit: 40/min, burst: 12, name: bucket}, {limit: 90/min, mode: shadow}]}\n"
        "routes:\n"
        "  - {match: {path: /a}, limits: {rate: [{limit: 4/s, name: own}]}}\n"
        "  - {match: {path: /b}, limits: {rate: none}}\n";
    Asked alone(yaml);
    Asked together(yaml);
    std::vector<Crowd> in_turn = crowds(seed);
    std::vector<Crowd> at_once = crowds(seed);
    for (int step = 0; step < kSteps; ++step)
        for (Crowd& crowd : in_turn) crowd.ask(alone, Time{1h} + step * kStep);
    {
        std::barrier steps(std::ssize(at_once));
        std::vector<std::jthread> threads;
        for (Crowd& crowd : at_once)
            threads.emplace_back([&] {
                for (int step = 0; step < kSteps; ++step, steps.arrive_and_wait())
                    crowd.ask(together, Time{1h} + step * kStep);
            });
    }
    for (size_t number = 0; number < in_turn.size(); ++number) {
        CHECK(at_once[number].told == in_turn[number].told);
        CHECK(std::ranges::count(in_turn[number].told, "") < std::ssize(in_turn[number].told));
    }
}

TEST_CASE("the longest keys that a configuration takes tell clients apart by each of their parts") {
    const std::string clients =
        "clients: {key: [ip, route, \"header:X-User\", \"cookie:b\", \"cookie:c\", "
        "\"cookie:d\", \"cookie:e\", \"cookie:f\"]}\n";
    const std::string key =
        "[\"header:h1\", \"header:h2\", \"header:h3\", \"header:h4\", \"header:h5\", "
        "\"header:h6\", \"header:h7\", client]";
    Asked rules(clients, "limits: {rate: {limit: 1/hour, key: " + key + "}}\n");
    const Time now{1h};
    CHECK(rules.say("a", 9, now).empty());
    CHECK(rules.say("a", 9, now) == "per-hour");
    CHECK(rules.say("b", 9, now).empty());
    CHECK(rules.say("b", 9, now) == "per-hour");
}

TEST_CASE("forty-eight rates in shadow are told apart") {
    std::string own;
    std::string extra;
    for (int n = 0; n < 16; ++n) {
        own += "{limit: 1/hour, mode: shadow, name: n" + std::to_string(n) + "},";
        extra += "{rate: 1/hour, name: s" + std::to_string(n) + "},";
    }
    std::string route = own;
    for (size_t at = 0; (at = route.find("name: n", at)) != std::string::npos;) route[at + 6] = 'r';
    Asked rules("limits: {rate: [" + own + "]}\nshadow: [" + extra +
                "]\nroutes:\n  - {match: {path: /a}, limits: {rate: [" + route + "]}}\n");
    const Time now{1h};
    CHECK(rules.say("a", 0, now).empty());
    const std::string all = rules.say("a", 0, now);
    CHECK(std::count(all.begin(), all.end(), ',') == 47);
    CHECK(all.ends_with(",r15"));
}

}  // namespace weir::proxy
