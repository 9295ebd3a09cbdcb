#include "config/quota.h"

#include <doctest/doctest.h>

using namespace weir::config;
using namespace std::chrono_literals;

namespace {

std::string hint_for(std::string_view text) {
    auto result = parse_quota(text);
    REQUIRE_FALSE(result.has_value());
    return result.error().message + " | " + result.error().hint;
}

}  // namespace

TEST_CASE("a rate is a number for a word or a duration") {
    CHECK(*parse_quota("10/s") == Quota{10, 1s});
    CHECK(*parse_quota("60/min") == Quota{60, 1min});
    CHECK(*parse_quota("1000/hour") == Quota{1000, 1h});
    CHECK(*parse_quota("5000/day") == Quota{5000, 24h});
    CHECK(*parse_quota("100/15s") == Quota{100, 15s});
    CHECK(*parse_quota("100/1m30s") == Quota{100, 90s});
    CHECK(*parse_quota("1/100ms") == Quota{1, 100ms});
    CHECK(*parse_quota("4294967295/31d") == Quota{4'294'967'295, 744h});
}

TEST_CASE("a rate is written as it is read") {
    for (const char* text :
         {"10/s", "60/min", "1000/hour", "5000/day", "100/15s", "7/1m30s", "1/31d", "2/100ms"})
        CHECK(format_quota(*parse_quota(text)) == text);
    CHECK(format_quota(*parse_quota("60/60s")) == "60/min");
}

TEST_CASE("a rate outside of its bounds is refused") {
    CHECK(hint_for("0/min") == "`0/min` is out of range | allowed: 1 to 4294967295 in each window");
    CHECK(hint_for("4294967296/s").find("out of range") != std::string::npos);
    CHECK(hint_for("99999999999999999999/s").find("out of range") != std::string::npos);
    CHECK(hint_for("1/99ms") == "`1/99ms` is out of range | allowed: windows of 100ms to 31d");
    CHECK(hint_for("1/31d1ms").find("out of range") != std::string::npos);
    CHECK(hint_for("1/0s").find("out of range") != std::string::npos);
}

TEST_CASE("a rate that is written otherwise is put right") {
    CHECK(hint_for("60").starts_with("`60` has no window | did you mean `60/min`?"));
    CHECK(hint_for("60/min, 9/s").ends_with("is not a rate | several are a list: `[60/min, 9/s]`"));
    CHECK(hint_for("60/minute").starts_with("`60/minute` is not a rate | did you mean `60/min`?"));
    CHECK(hint_for("10/sec").find("`10/s`?") != std::string::npos);
    CHECK(hint_for("10/h").find("`10/hour`?") != std::string::npos);
    CHECK(hint_for("10r/s").find("`10/s`?") != std::string::npos);
    CHECK(hint_for("10r/m").find("`10/min`?") != std::string::npos);
    CHECK(hint_for("60 / min").find("`60/min`?") != std::string::npos);
    CHECK(hint_for("60 per min").find("units") == std::string::npos);
    for (const char* text :
         {"", "/", "/s", "x/s", "-1/s", "1.5/s", "+1/s", "01/s", "10/", "10/x", "10/s/s", "10/15", "10/ s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_quota(text).has_value());
    }
}

TEST_CASE("a rule without a name has that of its window") {
    CHECK(name_of_window(1s) == "per-sec");
    CHECK(name_of_window(60s) == "per-min");
    CHECK(name_of_window(3600s) == "per-hour");
    CHECK(name_of_window(24h) == "per-day");
    CHECK(name_of_window(15s) == "per-15s");
    CHECK(name_of_window(90s) == "per-1m30s");
}
