#include "app/watchdog.h"

#include <doctest/doctest.h>

#include <array>

namespace weir::app {

using namespace std::chrono_literals;

TEST_CASE("signs of life come four times as often as they are waited for") {
    Watchdog watchdog(8s);
    const std::array ticks{Time(100s)};
    CHECK(watchdog.should_speak(Time(100s), ticks));
    CHECK_FALSE(watchdog.should_speak(Time(102s) - 1ns, ticks));
    CHECK(watchdog.should_speak(Time(102s), ticks));
    CHECK_FALSE(watchdog.should_speak(Time(103s), ticks));
}

TEST_CASE("one worker that does not come round is enough for silence, until it does") {
    Watchdog watchdog(10s);
    CHECK(watchdog.should_speak(Time(105s), std::array{Time(105s), Time(100s)}));
    CHECK_FALSE(watchdog.should_speak(Time(110s), std::array{Time(110s), Time(105s) - 1ns}));
    CHECK_FALSE(watchdog.should_speak(Time(200s), std::array{Time(105s) - 1ns, Time(200s)}));
    CHECK(watchdog.should_speak(Time(201s), std::array{Time(201s), Time(200s)}));
}

TEST_CASE("a worker that has ended as it should is not missed, and one that idles has time to come round") {
    Watchdog watchdog(2s);
    CHECK(watchdog.should_speak(Time(100s), std::array{kNever, Time(97s)}));
    CHECK_FALSE(watchdog.should_speak(Time(101s), std::array{kNever, Time(98s) - 1ns}));
    CHECK(watchdog.should_speak(Time(102s), std::array{kNever, kNever}));
}

}  // namespace weir::app
