#include "config/ranges.h"

#include <doctest/doctest.h>

using namespace weir::config;

namespace {

std::string hint_of(std::string_view text) {
    auto result = parse_integer_range(text);
    return result.error().hint;
}

}  // namespace

TEST_CASE("a range of whole numbers has one end or two") {
    CHECK(parse_integer_range("1..100")->low == 1);
    CHECK(parse_integer_range("1..100")->high == 100);
    CHECK(parse_integer_range("1..")->low == 1);
    CHECK(parse_integer_range("1..")->high == INT64_MAX);
    CHECK(parse_integer_range("..5")->low == INT64_MIN);
    CHECK(parse_integer_range("-5..-5")->low == -5);
    CHECK(parse_integer_range("-9223372036854775808..9223372036854775807")->low == INT64_MIN);
    for (const char* text : {"", "..", "1", "1.5..2", "a..b", "1...5", "1..5..9", "1.. 5", "+1..5", "01..5",
                             "-0..5", "5..1", "9223372036854775808..", "1..1e3", "0x1..5"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_integer_range(text).has_value());
    }
    CHECK(hint_of("5..1") == "did you mean `1..5`?");
    CHECK(hint_of("5") == "did you mean `5..` or `..5`?");
}

TEST_CASE("a range of numbers takes fractions, and no other spelling") {
    CHECK(parse_number_range("0..1")->high == 1.0);
    CHECK(parse_number_range("-0.5..0.25")->low == -0.5);
    CHECK(parse_number_range("-0.5..0.25")->high == 0.25);
    CHECK(parse_number_range("0.1..")->low == 0.1);
    for (const char* text :
         {"..", "nan..1", "0..inf", "1e3..", "0...5", ".5..1", "1...2", "0x1..", "1.2.3..", "1,5.."}) {
        CAPTURE(text);
        CHECK_FALSE(parse_number_range(text).has_value());
    }
}

TEST_CASE("a length is never negative") {
    CHECK(parse_length_range("..5")->low == 0);
    CHECK(parse_length_range("1..200")->high == 200);
    CHECK_FALSE(parse_length_range("-1..5").has_value());
    CHECK_FALSE(parse_length_range("..-5").has_value());
}
