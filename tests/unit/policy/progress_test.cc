#include "policy/progress.h"

#include <doctest/doctest.h>

namespace weir::policy {

using namespace std::chrono_literals;
using Verdict = Progress::Verdict;

namespace {
constexpr Progress::Bounds kBounds{.stall = 30s, .min_rate_bytes_per_second = 256};
constexpr Time kStart{1000s};
}  // namespace

TEST_CASE("a side that owes bytes and moves none for the stall time has stalled, not a moment earlier") {
    Progress side;
    Progress::Bounds no_floor{.stall = 30s};
    CHECK(side.sample(kStart, 500, true, no_floor) == Verdict::fine);
    CHECK(side.sample(kStart + 30s - 1ns, 500, true, no_floor) == Verdict::fine);
    CHECK(side.sample(kStart + 30s, 500, true, no_floor) == Verdict::stalled);
}

TEST_CASE("one byte is progress and starts the stall clock anew") {
    Progress side;
    Progress::Bounds no_floor{.stall = 30s};
    CHECK(side.sample(kStart, 0, true, no_floor) == Verdict::fine);
    CHECK(side.sample(kStart + 29s, 1, true, no_floor) == Verdict::fine);
    CHECK(side.sample(kStart + 58s, 1, true, no_floor) == Verdict::fine);
    CHECK(side.sample(kStart + 59s, 1, true, no_floor) == Verdict::stalled);
}

TEST_CASE("a side that owes nothing is never judged, and its clocks start when it owes again") {
    Progress side;
    CHECK(side.sample(kStart, 0, false, kBounds) == Verdict::fine);
    CHECK(side.sample(kStart + 1h, 0, false, kBounds) == Verdict::fine);
    CHECK(side.sample(kStart + 2h, 0, true, kBounds) == Verdict::fine);
    CHECK(side.sample(kStart + 2h + 9s, 0, true, kBounds) == Verdict::fine);
    CHECK(side.sample(kStart + 2h + 30s, 0, true, kBounds) == Verdict::stalled);
}

TEST_CASE("below the floor over a whole window is too slow; at the floor is not") {
    Progress slow;
    Progress steady;
    slow.sample(kStart, 0, true, kBounds);
    steady.sample(kStart, 0, true, kBounds);
    CHECK(slow.sample(kStart + 10s, 2559, true, kBounds) == Verdict::too_slow);
    CHECK(steady.sample(kStart + 10s, 2560, true, kBounds) == Verdict::fine);
}

TEST_CASE("nobody is judged by rate within the first window") {
    Progress side;
    side.sample(kStart, 0, true, kBounds);
    CHECK(side.sample(kStart + 10s - 1ns, 1, true, kBounds) == Verdict::fine);
}

TEST_CASE("each window counts for itself: an early burst does not pay for a later trickle") {
    Progress side;
    side.sample(kStart, 0, true, kBounds);
    CHECK(side.sample(kStart + 10s, 1'000'000, true, kBounds) == Verdict::fine);
    CHECK(side.sample(kStart + 20s, 1'000'100, true, kBounds) == Verdict::too_slow);
}

TEST_CASE("samples are taken often enough that a stall is told at most an eighth late, within reason") {
    CHECK(sample_period(30s) == 2s);
    CHECK(sample_period(8s) == 1s);
    CHECK(sample_period(10ms) == 20ms);
}

}  // namespace weir::policy
