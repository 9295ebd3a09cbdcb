#include "config/status_range.h"

#include <doctest/doctest.h>

using namespace weir::config;

namespace {

std::string hint_of(std::string_view text) {
    CAPTURE(text);
    auto result = parse_status_range(text);
    REQUIRE_FALSE(result.has_value());
    return result.error().hint;
}

}  // namespace

TEST_CASE("a status is one code or a range with both ends") {
    CHECK(*parse_status_range("200") == StatusRange{200, 200});
    CHECK(*parse_status_range("200-399") == StatusRange{200, 399});
    CHECK(*parse_status_range("599") == StatusRange{599, 599});
    CHECK(*parse_status_range("204-204") == StatusRange{204, 204});
    for (const char* text : {"", "-", "200-", "-200", "20", "0200", "200-3999", "2x0", "200-299-399", " 200",
                             "+200", "199", "100-399", "200-600", "399-200", "ok"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_status_range(text).has_value());
    }
}

TEST_CASE("other ways to write a range are understood, and shown as they should be") {
    CHECK(hint_of("2xx") == "did you mean `200-299`?");
    CHECK(hint_of("5XX") == "did you mean `500-599`?");
    CHECK(hint_of("200..399") == "did you mean `200-399`?");
    CHECK(hint_of("200 - 399") == "did you mean `200-399`?");
    CHECK(hint_of("399-200") == "did you mean `200-399`?");
    CHECK(hint_of("100") == "allowed: 200 to 599");
    CHECK(hint_of("1xx") == "write a code or a range, as in `200` or `200-399`");
    CHECK(hint_of("") == "write a code or a range, as in `200` or `200-399`");
}
