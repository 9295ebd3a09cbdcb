#include "policy/rate_spec.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

std::string said_of(std::string_view text) {
    const auto spec = parse_rate_spec(text);
    return spec ? "(accepted)" : spec.error().message + "; " + spec.error().hint;
}

}  // namespace

TEST_CASE("a rate is a count and a period or a duration, and is written back as it was read") {
    const auto reads = [](std::string_view text, RateSpec expected) {
        const auto spec = parse_rate_spec(text);
        REQUIRE_MESSAGE(spec, text);
        CHECK(*spec == expected);
        CHECK(format_rate_spec(*spec) == text);
    };
    reads("60/min", {60, 1min});
    reads("10/s", {10, 1s});
    reads("1000/hour", {1000, 1h});
    reads("5000/day", {5000, 24h});
    reads("100/15s", {100, 15s});
    reads("1/1m30s", {1, 90s});
    reads("1/100ms", {1, 100ms});
    reads("4294967295/31d", {4'294'967'295, 744h});
}

TEST_CASE("what is no rate is told with what would be one") {
    const std::string examples = "write `60/min`, `10/s`, `1000/hour`, `5000/day` or `100/15s`";
    CHECK(said_of("60") == "`60` is not a rate; " + examples);
    CHECK(said_of("") == "`` is not a rate; " + examples);
    CHECK(said_of("/min") == "`/min` is not a rate; " + examples);
    CHECK(said_of("60/") == "`60/` is not a rate; " + examples);
    CHECK(said_of("-1/s") == "`-1/s` is not a rate; " + examples);
    CHECK(said_of("1.5/s") == "`1.5/s` is not a rate; " + examples);
    CHECK(said_of(" 60/min") == "` 60/min` is not a rate; " + examples);
    CHECK(said_of("60/min/s") == "`60/min/s` is not a rate; " + examples);
    CHECK(said_of("60/fortnight") == "`60/fortnight` is not a rate; " + examples);
    CHECK(said_of("010/s") == "`010` is not a whole number; write decimal digits alone, as in `100`");
}

TEST_CASE("a period that is spelt otherwise is answered with ours") {
    const std::string all = "(s, min, hour, day, or a duration: 15s)";
    CHECK(said_of("60/minute") == "`60/minute` is not a rate; did you mean `60/min`? " + all);
    CHECK(said_of("60/m") == "`60/m` is not a rate; did you mean `60/min`? " + all);
    CHECK(said_of("60/Min") == "`60/Min` is not a rate; did you mean `60/min`? " + all);
    CHECK(said_of("10/sec") == "`10/sec` is not a rate; did you mean `10/s`? " + all);
    CHECK(said_of("10/h") == "`10/h` is not a rate; did you mean `10/hour`? " + all);
    CHECK(said_of("10/days") == "`10/days` is not a rate; did you mean `10/day`? " + all);
}

TEST_CASE("counts go from 1 to 4294967295, windows from 100ms to 31d") {
    const std::string counts = "a count goes from 1 to 4294967295";
    CHECK(said_of("0/s") == "the count of `0/s` is out of range; " + counts);
    CHECK(said_of("4294967296/s") == "the count of `4294967296/s` is out of range; " + counts);
    CHECK(said_of("99999999999999999999999/s") ==
          "the count of `99999999999999999999999/s` is out of range; " + counts);
    const std::string windows = "a window lasts from 100ms to 31d";
    CHECK(said_of("1/99ms") == "the window of `1/99ms` is out of range; " + windows);
    CHECK(said_of("1/0s") == "the window of `1/0s` is out of range; " + windows);
    CHECK(said_of("1/31d1ms") == "the window of `1/31d1ms` is out of range; " + windows);
}

}  // namespace weir::policy
