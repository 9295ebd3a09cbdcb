// Prints what it costs to note one request of a client among few, among many, and in a flood of ever new
// ones. Build with -O2; arguments: none.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "base/clock.h"
#include "policy/busy_clients.h"

namespace {

using weir::policy::BusyClients;

std::vector<uint64_t> zipf_keys(size_t count, double clients) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> share(0, std::log(clients));
    std::vector<uint64_t> keys(count);
    for (uint64_t& key : keys) key = static_cast<uint64_t>(std::exp(share(random))) * 0x9E3779B97F4A7C15U;
    return keys;
}

void measure(const char* name, const std::vector<uint64_t>& keys, weir::policy::ClientUse use) {
    constexpr int kRounds = 7;
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
        const weir::Time begin = weir::monotonic_now();
        BusyClients busy(begin);
        for (size_t i = 0; i < keys.size(); ++i) {
            use.client = keys[i];
            // A hundred thousand a second.
            busy.note(use, begin + std::chrono::microseconds(10) * static_cast<int64_t>(i));
        }
        const std::chrono::duration<double, std::nano> took = weir::monotonic_now() - begin;
        best = std::min(best, took.count() / static_cast<double>(keys.size()));
    }
    std::printf("%-44s %6.1f ns a request\n", name, best);
}

}  // namespace

int main() {
    constexpr size_t kRequests = 2'000'000;
    const auto few = zipf_keys(kRequests, 100);
    const auto many = zipf_keys(kRequests, 1'000'000);
    std::vector<uint64_t> flood(kRequests);
    std::mt19937_64 random(2);
    for (uint64_t& key : flood) key = random();
    const weir::policy::ClientUse answered{.in_app = std::chrono::milliseconds(20)};
    const weir::policy::ClientUse refused{.is_refused = true, .in_app = weir::Duration(-1)};
    measure("100 clients, answered by the app", few, answered);
    measure("100 clients, refused", few, refused);
    measure("a million clients, answered by the app", many, answered);
    measure("a million clients, refused", many, refused);
    measure("a new client each time, refused", flood, refused);
    return 0;
}
