#include "policy/parameter.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "config/ranges.h"
#include "random_source.h"

using namespace weir;
using namespace weir::policy;
using config::OnViolation;
using config::Param;
using Outcome = ParameterVerdict::Outcome;

namespace {

Param integer(std::string_view range, OnViolation on_violation = OnViolation::reject) {
    Param param;
    param.name = "n";
    param.integer = config::parse_integer_range(range).value();
    param.on_violation = on_violation;
    return param;
}

Param number(std::string_view range, OnViolation on_violation = OnViolation::reject) {
    Param param;
    param.name = "n";
    param.number = config::parse_number_range(range).value();
    param.on_violation = on_violation;
    return param;
}

Param choice(std::vector<std::string> choices) {
    Param param;
    param.name = "n";
    param.choices = std::move(choices);
    return param;
}

Param length(std::string_view range) {
    Param param;
    param.name = "n";
    param.length = config::parse_length_range(range).value();
    return param;
}

bool fits(const Param& param, std::string_view value) { return judge(param, value).outcome == Outcome::fits; }

std::string complaint(const Param& param, std::string_view value) {
    const ParameterVerdict verdict = judge(param, value);
    return verdict.outcome == Outcome::refused ? verdict.text : "not refused";
}

std::string clamped(const Param& param, std::string_view value) {
    const ParameterVerdict verdict = judge(param, value);
    return verdict.outcome == Outcome::clamped ? verdict.text : "not clamped";
}

constexpr auto kClamp = OnViolation::clamp;

}  // namespace

TEST_CASE("an integer fits from one end of its range to the other") {
    const Param param = integer("1..100");
    for (const char* value : {"1", "100", "42", "007", "00000000000000000000000000100"})
        CHECK(fits(param, value));
    for (const char* value : {"0", "101", "-1", "-100", "00"}) CHECK_FALSE(fits(param, value));
    for (const char* value : {"-5", "5", "0", "-0"}) CHECK(fits(integer("-5..5"), value));
    CHECK_FALSE(fits(integer("-5..5"), "-6"));
    CHECK(fits(integer("..9223372036854775807"), "-9223372036854775808"));
}

TEST_CASE("what is no plain integer never fits and is never clamped") {
    for (const char* value : {"", "-", "+1", " 1", "1 ", "1.0", "1e2", "0x10", "1_0", "--1", "1-", "abc",
                              "\xd9\xa3", "1\n", "NaN"}) {
        CAPTURE(value);
        CHECK(complaint(integer("1..100"), value) == "n must be an integer from 1 to 100");
        CHECK(complaint(integer("1..100", kClamp), value) == "n must be an integer from 1 to 100");
    }
    CHECK_FALSE(fits(integer("1..100"), std::string_view("1\0", 2)));
}

TEST_CASE("an integer is clamped to the nearest end, and one beyond 64 bits to the end of its sign") {
    const Param param = integer("1..100", kClamp);
    CHECK(clamped(param, "0") == "1");
    CHECK(clamped(param, "-7") == "1");
    CHECK(clamped(param, "101") == "100");
    CHECK(clamped(param, "99999999999999999999") == "100");
    CHECK(clamped(param, "-99999999999999999999") == "1");
    CHECK(clamped(integer("1..", kClamp), "9223372036854775808") == "9223372036854775807");
    CHECK(clamped(integer("-9..-3", kClamp), "7") == "-3");
}

TEST_CASE("a complaint about an integer names the ends that its range has") {
    CHECK(complaint(integer("1..100"), "101") == "n must be an integer from 1 to 100");
    CHECK(complaint(integer("1.."), "0") == "n must be an integer of at least 1");
    CHECK(complaint(integer("..-3"), "0") == "n must be an integer of at most -3");
    CHECK(complaint(integer("1.."), "9223372036854775808") ==
          "n must be an integer from 1 to 9223372036854775807");
}

TEST_CASE("a number is written as in JSON") {
    const Param param = number("-1000..1000");
    for (const char* value : {"0", "-0", "1", "-1", "0.5", "-0.25", "1e2", "1E2", "1e+2", "1.5e-3", "10.00",
                              "1e-999", "-1e-999", "1000", "1000.000", "0e99999999999999999999", "0.000e5"}) {
        CAPTURE(value);
        CHECK(fits(param, value));
    }
    for (const char* value :
         {"",    "-",   "+1",  ".5",       "5.", "01", "-01", "1e",  "1e+",   "1.e2",  "0x1",
          "inf", "nan", "NaN", "Infinity", " 1", "1 ", "1,5", "--1", "1e2.5", "1e2e3", "e5"}) {
        CAPTURE(value);
        CHECK(complaint(param, value) == "n must be a number from -1000 to 1000");
        CHECK(complaint(number("-1000..1000", kClamp), value) == "n must be a number from -1000 to 1000");
    }
}

TEST_CASE("a number is clamped to the nearest end, written without an exponent") {
    const Param param = number("-0.5..100000", kClamp);
    CHECK(clamped(param, "-0.51") == "-0.5");
    CHECK(clamped(param, "100000.5") == "100000");
    CHECK(clamped(param, "1e999") == "100000");
    CHECK(clamped(param, "-1e999") == "-0.5");
    CHECK(clamped(param, "1e99999999999999999999") == "100000");
    CHECK(clamped(param, "0.0001e+999") == "100000");
    CHECK(clamped(param, std::string(400, '9')) == "100000");
    CHECK(clamped(param, std::string(400, '9') + "e-10") == "100000");
    CHECK(fits(param, "0." + std::string(400, '0') + "1"));
    CHECK(fits(param, "0." + std::string(400, '0') + "1e401"));
    CHECK(clamped(number("0.1..", kClamp), "0") == "0.1");
    CHECK(clamped(number("0.1..", kClamp), "1e-99999999999999999999") == "0.1");
}

TEST_CASE("a number beyond all that can be held is refused where that end is open") {
    CHECK(complaint(number("0..", kClamp), "1e999") == "n must be a number of at least 0");
    CHECK(complaint(number("..0", kClamp), "-1e999") == "n must be a number of at most 0");
    CHECK(complaint(number("0.."), "-1") == "n must be a number of at least 0");
    CHECK(fits(number("0.."), "1e308"));
}

TEST_CASE("a choice is one of the words, letter by letter") {
    const Param param = choice({"asc", "desc", "a b", ""});
    for (const char* value : {"asc", "desc", "a b", ""}) CHECK(fits(param, value));
    for (const char* value : {"ASC", "as", "asc ", "ascdesc"}) CHECK_FALSE(fits(param, value));
    CHECK(complaint(choice({"asc", "desc"}), "up") == "n must be one of asc, desc");
}

TEST_CASE("a complaint about a choice stays short, however many there are") {
    const std::string said = complaint(choice(std::vector<std::string>(1000, "0123456789")), "x");
    CHECK(said.size() < 300);
    CHECK(said.ends_with(" more"));
}

TEST_CASE("a length is counted in characters") {
    const Param param = length("2..3");
    for (const char* value : {"ab", "abc", "\xc3\xa9\xc3\xa9", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80"})
        CHECK(fits(param, value));
    for (const char* value : {"", "a", "abcd", "\xc3\xa9"}) CHECK_FALSE(fits(param, value));
    CHECK(complaint(param, "") == "n must be 2 to 3 characters long");
    CHECK(complaint(length("..1"), "ab") == "n must be at most 1 character long");
    CHECK(complaint(length("1.."), "") == "n must be at least 1 character long");
    CHECK(complaint(length("2.."), "") == "n must be at least 2 characters long");
}

TEST_CASE("without a rule every value fits") {
    Param param;
    param.name = "page";
    for (const char* value : {"", "x", "\xff"}) CHECK(fits(param, value));
    CHECK(say_required(param) == "page is required");
}

TEST_CASE("what is put in the place of a value fits, and is digits, minus and point alone") {
    http::RandomSource random;
    INFO("seed: " << random.seed());
    size_t replaced = 0;
    for (int round = 0; round < 20000; ++round) {
        const std::string value = random.text(24, random.one_in(2) ? "0123456789-" : "0123456789-+.eE x");
        CAPTURE(value);
        const auto end = [&] { return std::to_string(static_cast<int>(random.below(200)) - 100); };
        std::string low = end();
        std::string high = end();
        if (std::stoi(low) > std::stoi(high)) std::swap(low, high);
        const std::string range = (random.one_in(4) ? "" : low) + ".." + high;
        CAPTURE(range);
        for (const Param& param : {integer(range, kClamp), number(range, kClamp)}) {
            const ParameterVerdict verdict = judge(param, value);
            if (verdict.outcome != Outcome::clamped) continue;
            ++replaced;
            REQUIRE(verdict.text.find_first_not_of("0123456789-.") == std::string::npos);
            REQUIRE(fits(param, verdict.text));
        }
    }
    CHECK(replaced > 1000);
}

TEST_CASE("a number fits exactly where strtod puts it within the range") {
    http::RandomSource random;
    INFO("seed: " << random.seed());
    const Param param = number("-1000..1000");
    const auto digits = [&](size_t most) {
        return std::string(1, random.one_of("123456789")) + random.text(most, "0123456789");
    };
    for (int round = 0; round < 20000; ++round) {
        std::string value = random.one_in(2) ? "-" : "";
        value += random.one_in(3) ? "0" : digits(30);
        if (random.one_in(2)) value += "." + random.text(400, random.one_in(2) ? "0" : "0123456789") + "7";
        if (random.one_in(2)) value += (random.one_in(2) ? "e-" : "e") + digits(3);
        CAPTURE(value);
        const double read = std::strtod(value.c_str(), nullptr);
        REQUIRE(fits(param, value) == (std::abs(read) <= 1000));
    }
}
