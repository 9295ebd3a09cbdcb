#include "config/units.h"

#include <limits>
#include <random>

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::config;
using namespace std::chrono_literals;

namespace {

template <class T>
T value_of(const Result<T, Wrong>& result) {
    if (!result) FAIL_CHECK(result.error().message);
    return result ? *result : T{};
}

template <class Parse>
std::string message_of(Parse parse, std::string_view text) {
    const auto result = parse(text);
    return result ? "(accepted)" : result.error().message;
}

template <class Parse>
std::string hint_of(Parse parse, std::string_view text) {
    const auto result = parse(text);
    return result ? "(accepted)" : result.error().hint;
}

constexpr const char* kDurationUnits = " (units: ms, s, m, h, d)";
constexpr const char* kSizeUnits = " (units: B, KB, KiB, MB, MiB, GB, GiB, TB, TiB)";

}  // namespace

TEST_CASE("a duration is whole numbers with units, the largest first") {
    CHECK(value_of(parse_duration("250ms")) == 250ms);
    CHECK(value_of(parse_duration("0s")) == 0s);
    CHECK(value_of(parse_duration("5s")) == 5s);
    CHECK(value_of(parse_duration("2m")) == 2min);
    CHECK(value_of(parse_duration("1h")) == 1h);
    CHECK(value_of(parse_duration("1d")) == 24h);
    CHECK(value_of(parse_duration("1m30s")) == 90s);
    CHECK(value_of(parse_duration("1d2h3m4s5ms")) == 24h + 2h + 3min + 4s + 5ms);
    CHECK(value_of(parse_duration("90m")) == 90min);
    CHECK(value_of(parse_duration("10000d")) == 240000h);
}

TEST_CASE("what is not exactly a duration is refused, and what was meant is named") {
    CHECK(message_of(parse_duration, "30") == "`30` has no unit");
    CHECK(hint_of(parse_duration, "30") == std::string("did you mean `30s`?") + kDurationUnits);
    CHECK(hint_of(parse_duration, "0") == std::string("did you mean `0s`?") + kDurationUnits);
    CHECK(hint_of(parse_duration, "5 sec") == std::string("did you mean `5s`?") + kDurationUnits);
    CHECK(hint_of(parse_duration, "5 m") == std::string("did you mean `5m`?") + kDurationUnits);
    CHECK(hint_of(parse_duration, "2Hours") == std::string("did you mean `2h`?") + kDurationUnits);
    CHECK(hint_of(parse_duration, "7min") == std::string("did you mean `7m`?") + kDurationUnits);
    for (const char* text : {"", "s", "ms", "-5s", "+5s", "1.5s", " 5s", "5s ", "5S", "5us", "1m 30s", "1m30",
                             "5s,", "0x5s", "1e3s", "\xff"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text).has_value());
        CHECK_FALSE(hint_of(parse_duration, text).empty());
    }
    for (const char* text : {"30s1m", "5s5s", "5ms5s", "1h1d"}) {
        CAPTURE(text);
        CHECK(message_of(parse_duration, text).ends_with("has its units out of order"));
    }
}

TEST_CASE("a duration that is too large is refused, not wrapped") {
    for (const char* text : {"10001d", "10000d1ms", "18446744073709551615ms", "18446744073709551616ms",
                             "213503982334602d", "99999999999999999999999999999999s"}) {
        CAPTURE(text);
        CHECK(message_of(parse_duration, text).ends_with("is too large"));
    }
}

TEST_CASE("a size is a whole number with a unit of 1000 or of 1024") {
    CHECK(value_of(parse_size("0B")) == 0);
    CHECK(value_of(parse_size("1B")) == 1);
    CHECK(value_of(parse_size("1KB")) == 1000);
    CHECK(value_of(parse_size("1KiB")) == 1024);
    CHECK(value_of(parse_size("3MB")) == 3'000'000);
    CHECK(value_of(parse_size("10MiB")) == 10'485'760);
    CHECK(value_of(parse_size("2GB")) == 2'000'000'000);
    CHECK(value_of(parse_size("2GiB")) == 2'147'483'648);
    CHECK(value_of(parse_size("1TB")) == 1'000'000'000'000);
    CHECK(value_of(parse_size("1TiB")) == 1'099'511'627'776);
    CHECK(value_of(parse_size("18446744073709551615B")) == std::numeric_limits<uint64_t>::max());
    CHECK(message_of(parse_size, "18446744073709551616B").ends_with("is too large"));
    CHECK(message_of(parse_size, "18014398509481984KiB").ends_with("is too large"));
    CHECK(message_of(parse_size, "16777216TiB").ends_with("is too large"));
}

TEST_CASE("what is not exactly a size is refused, and what was meant is named") {
    CHECK(message_of(parse_size, "10") == "`10` has no unit");
    CHECK(hint_of(parse_size, "10") == std::string("did you mean `10B`?") + kSizeUnits);
    CHECK(hint_of(parse_size, "10M") == std::string("did you mean `10MiB`?") + kSizeUnits);
    CHECK(hint_of(parse_size, "10mb") == std::string("did you mean `10MB`?") + kSizeUnits);
    CHECK(hint_of(parse_size, "8k") == std::string("did you mean `8KiB`?") + kSizeUnits);
    CHECK(hint_of(parse_size, "8 KiB") == std::string("did you mean `8KiB`?") + kSizeUnits);
    for (const char* text : {"", "B", "-1B", "1.5MiB", "1MiB2KiB", "1MiBs", "1B/s", "1 ", "1\tB"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_size(text).has_value());
    }
}

TEST_CASE("a rate is a size for each second") {
    CHECK(value_of(parse_rate("256B/s")) == 256);
    CHECK(value_of(parse_rate("1MiB/s")) == 1'048'576);
    CHECK(hint_of(parse_rate, "256").starts_with("did you mean `256B/s`?"));
    CHECK(hint_of(parse_rate, "256B").starts_with("did you mean `256B/s`?"));
    CHECK(hint_of(parse_rate, "1k/s").starts_with("did you mean `1KiB/s`?"));
    CHECK_FALSE(parse_rate("1B/m").has_value());
    CHECK_FALSE(parse_rate("/s").has_value());
    CHECK_FALSE(parse_rate("1/s").has_value());
}

TEST_CASE("a percentage is whole and from 0% to 100%") {
    CHECK(value_of(parse_percent("0%")) == 0);
    CHECK(value_of(parse_percent("20%")) == 20);
    CHECK(value_of(parse_percent("100%")) == 100);
    CHECK(hint_of(parse_percent, "20") == "did you mean `20%`?");
    for (const char* text : {"", "%", "101%", "-1%", "2.5%", "20 %", "18446744073709551616%"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_percent(text).has_value());
    }
}

TEST_CASE("an integer is decimal digits alone") {
    CHECK(value_of(parse_integer("0")) == 0);
    CHECK(value_of(parse_integer("100")) == 100);
    CHECK(value_of(parse_integer("18446744073709551615")) == std::numeric_limits<uint64_t>::max());
    CHECK(message_of(parse_integer, "18446744073709551616").ends_with("is too large"));
    for (const char* text :
         {"", "-1", "+1", "010", "1_000", "1,000", "1e3", "0x10", "1.0", " 1", "1 ", "ten"}) {
        CAPTURE(text);
        CHECK(message_of(parse_integer, text).ends_with("is not a whole number"));
    }
}

TEST_CASE("quantities are formatted in their largest exact units") {
    CHECK(format_duration(0s) == "0s");
    CHECK(format_duration(250ms) == "250ms");
    CHECK(format_duration(90s) == "1m30s");
    CHECK(format_duration(24h) == "1d");
    CHECK(format_size(0) == "0B");
    CHECK(format_size(1000) == "1KB");
    CHECK(format_size(1023) == "1023B");
    CHECK(format_size(10'485'760) == "10MiB");
    CHECK(format_rate(256) == "256B/s");
    CHECK(format_percent(20) == "20%");
}

TEST_CASE("every quantity reads back as it was formatted") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20'000; ++i) {
        const uint64_t bits = random() >> (random() % 64);
        const uint64_t milliseconds = bits % (10'000ULL * 86'400'000ULL + 1);
        const Duration duration = std::chrono::milliseconds{static_cast<int64_t>(milliseconds)};
        CAPTURE(bits);
        REQUIRE(value_of(parse_duration(format_duration(duration))) == duration);
        REQUIRE(value_of(parse_size(format_size(bits))) == bits);
        const uint64_t round = (bits >> 32) << (random() % 32);
        REQUIRE(value_of(parse_size(format_size(round))) == round);
        REQUIRE(value_of(parse_rate(format_rate(bits))) == bits);
        REQUIRE(value_of(parse_percent(format_percent(bits % 101))) == bits % 101);
    }
}
