// Prints what a rate limit costs a request: the key, the look and the charge, from 1,000 clients to a
// million. Build with -O2; arguments: none.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "policy/key.h"
#include "policy/rate_rule.h"

namespace {

using namespace weir;
using namespace weir::policy;
using namespace std::chrono_literals;

constexpr int kRounds = 7;
constexpr size_t kCalls = 1'000'000;

/// The best of several rounds: what disturbs a round only ever makes it slower.
template <class Work>
double nanoseconds_per_call(Work work) {
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = monotonic_now();
        for (size_t i = 0; i < kCalls; ++i) work(i);
        const std::chrono::duration<double, std::nano> spent = monotonic_now() - start;
        best = std::min(best, spent.count() / static_cast<double>(kCalls));
    }
    return best;
}

template <class Value>
void keep(const Value& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

std::vector<uint64_t> random_keys(size_t count) {
    std::mt19937_64 engine(1);
    std::vector<uint64_t> keys(count);
    std::ranges::generate(keys, engine);
    return keys;
}

using Limits = std::vector<RateRule::Limit>;

struct Requests {
    size_t keys = 0;     ///< that the tables remember
    size_t clients = 0;  ///< that take turns
    Duration pause{};    ///< from each to the next
};

/// One request of each client in turn, in random order: look, then charge where all rules admit.
void measure_hold(const char* name, const Limits& limits, const Requests& requests) {
    std::deque<RateRule> rules;
    for (const RateRule::Limit& limit : limits) rules.emplace_back(limit, requests.keys);
    const std::vector<uint64_t> keys = random_keys(requests.clients);
    std::vector<RateAsk> asks;
    for (RateRule& rule : rules) asks.push_back({&rule, 0, 1});
    Time now{1h};
    size_t admitted = 0;
    size_t at = 0;
    const auto one = [&](size_t) {
        now += requests.pause;
        for (RateAsk& ask : asks) ask.key = keys[at];
        at = at + 1 == keys.size() ? 0 : at + 1;
        RateHold hold(asks, now);
        if (!hold.admits()) return;
        hold.charge();
        ++admitted;
    };
    for (size_t i = 0; i < keys.size(); ++i) one(i);
    const double each = nanoseconds_per_call(one);
    const size_t sent = kRounds * kCalls + keys.size();
    std::printf("  %-30s %8zu clients %7.1f ns  (%3.0f%% admitted)\n", name, requests.clients, each,
                100.0 * static_cast<double>(admitted) / static_cast<double>(sent));
}

void measure_keys() {
    const HashSeed seed = HashSeed::random();
    const KeyMaker ip({{KeyPart::Kind::ip, {}}}, 64, seed);
    const KeyMaker ip_and_route({{KeyPart::Kind::ip, {}}, {KeyPart::Kind::route, {}}}, 64, seed);
    RequestView request{
        .ip = ipv4_bytes({203, 0, 113, 9}), .route = 3, .head = nullptr, .field_line = nullptr};
    const auto each = [&](const KeyMaker& maker) {
        return nanoseconds_per_call([&](size_t i) {
            request.ip[15] = static_cast<uint8_t>(i);
            keep(maker(request));
        });
    };
    std::printf("key of ip %.1f ns, of [ip, route] %.1f ns\n", each(ip), each(ip_and_route));
}

void measure_tables(size_t keys) {
    const RateRule::Limit minute{{60, 1min}, std::nullopt};
    const RateRule::Limit spent{{1, 24h}, std::nullopt};
    const RateRule::Limit hour{{1000, 1h}, std::nullopt};
    const RateRule::Limit wide{{100'000, 1h}, std::nullopt};
    const RateRule::Limit bucket{{10, 1s}, 20};
    const auto per_key = [&](const RateRule::Limit& limit) {
        return static_cast<double>(RateRule(limit, keys).memory_bytes()) / static_cast<double>(keys);
    };
    std::printf("tables for %zu keys\n", keys);
    std::printf("  bytes a key: 60/min %.2f, 1000/hour %.2f, 100000/hour %.2f, token bucket %.2f\n",
                per_key(minute), per_key(hour), per_key(wide), per_key(bucket));
    for (const size_t clients : {size_t{1}, size_t{1000}, size_t{1'000'000}}) {
        if (clients > keys) break;
        const auto every = [&](Duration pause) {
            return Requests{keys, clients, pause / static_cast<Duration::rep>(clients)};
        };
        measure_hold("60/min", {minute}, every(1200ms));
        measure_hold("60/min and 1000/hour", {minute, hour}, every(4s));
        measure_hold("both refuse", {spent, spent}, every(1ms));
        measure_hold("100000/hour", {wide}, every(50ms));
        measure_hold("{limit: 10/s, burst: 20}", {bucket}, every(110ms));
    }
}

/// Every request under a new key, into a table that is full of clients in debt.
void measure_flood(size_t keys) {
    RateRule rule({{60, 1min}, std::nullopt}, keys);
    std::mt19937_64 engine(2);
    Time now{1h};
    const double each = nanoseconds_per_call([&](size_t) {
        now += 1us;
        const RateAsk ask{&rule, engine(), 1};
        RateHold hold({&ask, 1}, now);
        if (hold.admits()) hold.charge();
    });
    const CellTableFigures figures = rule.figures();
    std::printf("flood of new keys into %zu: %.1f ns, size %zu, %llu evictions, %llu shared\n", keys, each,
                figures.size, static_cast<unsigned long long>(figures.evictions),
                static_cast<unsigned long long>(figures.shared));
}

}  // namespace

int main() {
    measure_keys();
    measure_tables(1'000);
    measure_tables(1'000'000);
    measure_flood(1'000);
    measure_flood(100'000);
    return 0;
}
