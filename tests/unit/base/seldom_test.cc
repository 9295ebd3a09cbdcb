#include "base/seldom.h"

#include <doctest/doctest.h>

namespace weir {

TEST_CASE("what is told of seldom is told at first, and then once in each period") {
    using namespace std::chrono_literals;
    Seldom notice(10s);
    const Time start{1s};
    CHECK(notice.is_due(start));
    CHECK_FALSE(notice.is_due(start));
    CHECK_FALSE(notice.is_due(start + 10s - 1ns));
    CHECK(notice.is_due(start + 10s));
    CHECK_FALSE(notice.is_due(start + 11s));
    CHECK(notice.is_due(start + 1h));
}

}  // namespace weir
