#include "base/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace weir {
namespace {

struct Mishap {
    int code;
};

Result<int, Mishap> half_of_even(int number) {
    if (number % 2 != 0) return fail(Mishap{.code = number});
    return number / 2;
}

TEST_CASE("a Result holds the value that was returned") {
    const auto result = half_of_even(8);
    REQUIRE(result);
    CHECK(result.has_value());
    CHECK(result.value() == 4);
    CHECK(*result == 4);
}

TEST_CASE("a Result holds the error that was wrapped in fail") {
    const auto result = half_of_even(7);
    REQUIRE_FALSE(result);
    CHECK_FALSE(result.has_value());
    CHECK(result.error().code == 7);
}

TEST_CASE("value and error stay apart when both have the same type") {
    const Result<std::string> good = std::string("text");
    const Result<std::string> bad = fail("text");
    CHECK(good.has_value());
    CHECK_FALSE(bad.has_value());
    CHECK(*good == bad.error());
}

TEST_CASE("a failure converts to the Result's own error type") {
    const Result<int> result = fail("from a literal");
    REQUIRE_FALSE(result);
    CHECK(result.error() == "from a literal");
}

TEST_CASE("a failure travels up into a Result of another value type") {
    const Result<int> inner = fail("deep");
    const Result<std::string> outer = fail(inner.error());
    REQUIRE_FALSE(outer);
    CHECK(outer.error() == "deep");
}

TEST_CASE("the value can be changed in place and reached through the arrow") {
    Result<std::string> result = std::string("ab");
    *result += 'c';
    result->push_back('d');
    CHECK(result.value() == "abcd");
}

TEST_CASE("a value that only moves can be put in and taken out") {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
    REQUIRE(result);
    const std::unique_ptr<int> taken = std::move(result).value();
    REQUIRE(taken != nullptr);
    CHECK(*taken == 5);
}

}  // namespace
}  // namespace weir
