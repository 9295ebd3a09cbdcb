#include "app/round_pace.h"

#include <doctest/doctest.h>

namespace weir::app {

using namespace std::chrono_literals;

constexpr Time kStart = Time(1000s);

TEST_CASE("the first round may begin at once") { CHECK(RoundPace().next() <= kStart); }

TEST_CASE("rounds have at most a twentieth of the time, however they follow on each other") {
    RoundPace pace;
    Time now = kStart;
    Duration spent{0};
    for (const Duration took :
         {Duration(1ms), Duration(7us), Duration(20ms), Duration(50ms), Duration(300us)}) {
        now = std::max(now, pace.next());
        spent += took;
        now += took;
        pace.end_round(now - took, now);
    }
    CHECK(spent * 20 == pace.next() - kStart);
}

TEST_CASE("nobody waits for longer than a second, however long a round took") {
    RoundPace pace;
    pace.end_round(kStart, kStart + 10s);
    CHECK(pace.next() == kStart + 11s);
}

}  // namespace weir::app
