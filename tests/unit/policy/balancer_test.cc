#include "policy/balancer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using config::Balance;
using Kind = Choice::Kind;
using Standing = Candidate::Standing;

std::vector<Candidate> servers(size_t count) { return std::vector<Candidate>(count); }

/// "abcab": which servers `times` requests get that are answered at once.
std::string order(Balancer& balancer, const std::vector<Candidate>& candidates, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) {
        const Choice choice = balancer.choose(candidates, 0);
        REQUIRE(choice.kind == Kind::server);
        text += static_cast<char>('a' + choice.server);
    }
    return text;
}

TEST_CASE("the server with the fewest requests for its weight is chosen") {
    Balancer balancer(Balance::least_in_flight, 3, 0);
    auto all = servers(3);
    all[0].in_flight = 5;
    all[1].in_flight = 4;
    all[2].in_flight = 6;
    CHECK(balancer.choose(all, 7) == Choice{Kind::server, 1});
    all[2].weight = 2;
    CHECK(balancer.choose(all, 7) == Choice{Kind::server, 2});
    all[2].share = Candidate::kFullShare / 4;
    CHECK(balancer.choose(all, 7) == Choice{Kind::server, 1});
    all[1].in_flight = UINT32_MAX - 1;
    all[1].weight = 1000;
    all[0].in_flight = UINT32_MAX - 1;
    CHECK(balancer.choose(all, 7) == Choice{Kind::server, 2});
}

TEST_CASE("what has not failed this request comes first, then what has not refused a connection") {
    for (const Balance balance : {Balance::least_in_flight, Balance::round_robin}) {
        auto all = servers(4);
        all[0].is_tried = true;
        all[1].standing = Standing::suspect;
        all[2].is_tried = true;
        all[2].standing = Standing::suspect;
        all[3].in_flight = 1000;
        for (const size_t expected : {3U, 1U, 0U, 2U}) {
            Balancer balancer(balance, 4, 0);
            CHECK(balancer.choose(all, 1) == Choice{Kind::server, expected});
            all[expected].standing = Standing::out;
        }
        Balancer balancer(balance, 4, 0);
        CHECK(balancer.choose(all, 1).kind == Kind::all_out);
    }
}

TEST_CASE("a server at its cap is passed over, and where all are, that is said") {
    for (const Balance balance : {Balance::least_in_flight, Balance::round_robin}) {
        Balancer balancer(balance, 2, 0);
        auto all = servers(2);
        all[0].cap = 2;
        all[0].in_flight = 2;
        all[1].in_flight = 100;
        CHECK(balancer.choose(all, 0) == Choice{Kind::server, 1});
        all[1].cap = 100;
        CHECK(balancer.choose(all, 0).kind == Kind::all_full);
        all[1].standing = Standing::out;
        CHECK(balancer.choose(all, 0).kind == Kind::all_full);
        all[0].standing = Standing::out;
        CHECK(balancer.choose(all, 0).kind == Kind::all_out);
    }
}

TEST_CASE("servers take turns, and heavier ones take theirs spread out") {
    Balancer even(Balance::round_robin, 3, 0);
    CHECK(order(even, servers(3), 7) == "abcabca");
    Balancer elsewhere(Balance::round_robin, 3, 5);
    CHECK(order(elsewhere, servers(3), 7) == "cabcabc");
    auto uneven = servers(3);
    uneven[0].weight = 5;
    Balancer smooth(Balance::round_robin, 3, 0);
    CHECK(order(smooth, uneven, 14) == "aabacaaaabacaa");
}

TEST_CASE("in turns, each server gets its weight's share of every round, whatever the weights") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        auto all = servers(1 + random() % 8);
        uint64_t whole = 0;
        for (Candidate& each : all) whole += each.weight = static_cast<uint32_t>(1 + random() % 20);
        Balancer balancer(Balance::round_robin, all.size(), random());
        std::vector<uint64_t> times(all.size());
        for (uint64_t i = 1; i <= 2 * whole; ++i) {
            ++times[balancer.choose(all, random()).server];
            for (size_t server = 0; server < all.size(); ++server) {
                const double due = static_cast<double>(i * all[server].weight) / static_cast<double>(whole);
                REQUIRE(std::abs(static_cast<double>(times[server]) - due) < static_cast<double>(all.size()));
            }
        }
        for (size_t server = 0; server < all.size(); ++server) CHECK(times[server] == 2 * all[server].weight);
    }
}

TEST_CASE("who comes back into the rotation has no arrears to be paid all at once") {
    Balancer balancer(Balance::round_robin, 3, 0);
    auto all = servers(3);
    all[1].standing = Standing::out;
    for (int i = 0; i < 1001; ++i) CHECK(balancer.choose(all, 0).server != 1);
    all[1].standing = Standing::in;
    const std::string next = order(balancer, all, 6);
    CHECK(std::count(next.begin(), next.end(), 'b') == 2);
}

TEST_CASE("idle servers are asked in the ratio of their weights") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    Balancer balancer(Balance::least_in_flight, 3, 0);
    auto all = servers(3);
    all[0].weight = 3;
    all[1].share = Candidate::kFullShare / 2;
    std::vector<double> times(3);
    constexpr int kTimes = 90'000;
    for (int i = 0; i < kTimes; ++i) ++times[balancer.choose(all, random()).server];
    CHECK(times[0] / kTimes == doctest::Approx(3 / 4.5).epsilon(0.03));
    CHECK(times[1] / kTimes == doctest::Approx(0.5 / 4.5).epsilon(0.08));
    CHECK(times[2] / kTimes == doctest::Approx(1 / 4.5).epsilon(0.05));
}

TEST_CASE("a choice is never one that a better one is there for") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 20'000; ++round) {
        auto all = servers(1 + random() % 6);
        for (Candidate& each : all) {
            each.standing = static_cast<Standing>(random() % 3);
            each.is_tried = random() % 3 == 0;
            each.in_flight = static_cast<uint32_t>(random() % 5);
            each.cap = random() % 2 == 0 ? UINT32_MAX : static_cast<uint32_t>(1 + random() % 4);
            each.weight = static_cast<uint32_t>(1 + random() % 3);
        }
        const Balance balance = random() % 2 == 0 ? Balance::least_in_flight : Balance::round_robin;
        Balancer balancer(balance, all.size(), random());
        const Choice choice = balancer.choose(all, random());
        auto can_take = [](const Candidate& each) {
            return each.standing != Standing::out && each.in_flight < each.cap;
        };
        if (choice.kind != Kind::server) {
            CHECK(std::none_of(all.begin(), all.end(), can_take));
            const bool all_out = std::all_of(
                all.begin(), all.end(), [](const Candidate& each) { return each.standing == Standing::out; });
            CHECK((choice.kind == Kind::all_out) == all_out);
            continue;
        }
        const Candidate& chosen = all[choice.server];
        REQUIRE(can_take(chosen));
        for (const Candidate& other : all) {
            if (!can_take(other)) continue;
            CHECK(chosen.is_tried <= other.is_tried);
            if (chosen.is_tried != other.is_tried) continue;
            CHECK(chosen.standing <= other.standing);
            if (chosen.standing == other.standing && balance == Balance::least_in_flight)
                CHECK(chosen.in_flight * other.weight <= other.in_flight * chosen.weight);
        }
    }
}

TEST_CASE("a share grows from a tenth to the whole in the time of the slow start") {
    CHECK(slow_start_share(0s, std::nullopt) == Candidate::kFullShare);
    CHECK(slow_start_share(0s, 10s) == Candidate::kFullShare / 10);
    CHECK(slow_start_share(-1s, 10s) == Candidate::kFullShare / 10);
    CHECK(slow_start_share(5s, 10s) == Candidate::kFullShare / 2);
    CHECK(slow_start_share(10s, 10s) == Candidate::kFullShare);
    CHECK(slow_start_share(24h, 10s) == Candidate::kFullShare);
    uint32_t last = 0;
    for (Duration since{}; since < 11s; since += 10ms) {
        const uint32_t share = slow_start_share(since, 10s);
        CHECK(share >= std::max(last, 1U));
        last = share;
    }
}

}  // namespace
}  // namespace weir::policy
