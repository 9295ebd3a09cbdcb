#include "http/imf_date.h"

#include <doctest/doctest.h>

#include <ctime>
#include <string>

#include "random_source.h"

using namespace weir;
using namespace weir::http;

namespace {

WallTime at_second(int64_t second) { return WallTime(std::chrono::seconds(second)); }

std::string imf_date(WallTime time) {
    char out[kImfDateLength];
    write_imf_date(time, out);
    return {out, kImfDateLength};
}

}  // namespace

TEST_CASE("a date has the fixed form") {
    CHECK(imf_date(at_second(784111777)) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(imf_date(at_second(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(imf_date(at_second(951782399)) == "Mon, 28 Feb 2000 23:59:59 GMT");
    CHECK(imf_date(at_second(951782400)) == "Tue, 29 Feb 2000 00:00:00 GMT");
    CHECK(imf_date(at_second(-1)) == "Wed, 31 Dec 1969 23:59:59 GMT");
    CHECK(imf_date(at_second(784111777) + std::chrono::nanoseconds(999999999)) ==
          "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("dates agree with the C library over two centuries") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 20000; ++round) {
        const auto second = static_cast<time_t>(random.below(size_t{200} * 366 * 86400));
        tm parts{};
        gmtime_r(&second, &parts);
        char expected[64];
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        REQUIRE(imf_date(at_second(second)) == expected);
    }
}

TEST_CASE("the cache changes with the second, in both directions") {
    DateCache cache;
    CHECK(cache.at(at_second(-1)) == imf_date(at_second(-1)));
    CHECK(cache.at(at_second(100)) == imf_date(at_second(100)));
    CHECK(cache.at(at_second(101) - std::chrono::nanoseconds(1)) == imf_date(at_second(100)));
    CHECK(cache.at(at_second(101)) == imf_date(at_second(101)));
    CHECK(cache.at(at_second(50)) == imf_date(at_second(50)));
}
