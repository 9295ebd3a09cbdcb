#include "http/request_timeout.h"

#include <doctest/doctest.h>

#include <string>

using namespace weir;
using namespace weir::http;
using namespace std::chrono_literals;

TEST_CASE("a timeout is a number with a unit, or of seconds") {
    CHECK(parse_request_timeout("250ms") == 250ms);
    CHECK(parse_request_timeout("5s") == 5s);
    CHECK(parse_request_timeout("1m") == 1min);
    CHECK(parse_request_timeout("5") == 5s);
    CHECK(parse_request_timeout("0") == 0s);
    CHECK(parse_request_timeout("0ms") == 0s);
    CHECK(parse_request_timeout("007s") == 7s);
}

TEST_CASE("a timeout may have decimals, down to a millionth of its unit") {
    CHECK(parse_request_timeout("1.5s") == 1500ms);
    CHECK(parse_request_timeout("0.25") == 250ms);
    CHECK(parse_request_timeout("1.50m") == 90s);
    CHECK(parse_request_timeout("0.5ms") == 500us);
    CHECK(parse_request_timeout("0.000001s") == 1us);
    CHECK(parse_request_timeout("0.0000019s") == 1us);
    CHECK(parse_request_timeout("2.00000000000000000000000000000001") == 2s);
}

TEST_CASE("a timeout that is written otherwise is none") {
    for (const char* text :
         {"",    "s",  "ms", ".5s", "5.s",  "5.",  "1.2.3s", "-1s",  "+1s",      " 5s", "5s ",
          "5 s", "5S", "5h", "5us", "5sec", "1e3", "0x5",    "5,0s", "infinity", "nan", "5s, 6s"})
        CHECK_FALSE_MESSAGE(parse_request_timeout(text).has_value(), text);
    CHECK_FALSE(parse_request_timeout(std::string_view("5\0", 2)).has_value());
    CHECK_FALSE(parse_request_timeout("\xd9\xa5s").has_value());
}

TEST_CASE("a timeout beyond the longest is the longest") {
    CHECK(parse_request_timeout("86399.999999s") == kLongestTimeout - 1us);
    CHECK(parse_request_timeout("1440m") == kLongestTimeout);
    CHECK(parse_request_timeout("1439.5m") == kLongestTimeout - 30s);
    CHECK(parse_request_timeout("86400.5") == kLongestTimeout);
    for (const char* unit : {"ms", "s", "m", ""}) {
        CHECK(parse_request_timeout(std::string(400, '9') + unit) == kLongestTimeout);
        CHECK(parse_request_timeout("9223372036854775807" + std::string(unit)) == kLongestTimeout);
    }
}

TEST_CASE("a gRPC timeout is up to eight digits and one letter") {
    CHECK(parse_grpc_timeout("1H") == 1h);
    CHECK(parse_grpc_timeout("2M") == 2min);
    CHECK(parse_grpc_timeout("3S") == 3s);
    CHECK(parse_grpc_timeout("4m") == 4ms);
    CHECK(parse_grpc_timeout("5u") == 5us);
    CHECK(parse_grpc_timeout("6n") == 6ns);
    CHECK(parse_grpc_timeout("00000000S") == 0s);
    CHECK(parse_grpc_timeout("99999999n") == 99999999ns);
    CHECK(parse_grpc_timeout("99999999H") == kLongestTimeout);
    CHECK(parse_grpc_timeout("99999999m") == kLongestTimeout);
    for (const char* text :
         {"", "S", "1", "123456789S", "1s", "1h", "1ms", "1.5S", "-1S", " 1S", "1S ", "1 S"})
        CHECK_FALSE_MESSAGE(parse_grpc_timeout(text).has_value(), text);
}

TEST_CASE("each of the two fields is read in its own way, and no other is") {
    CHECK(timeout_in({.name = "", .value = "2m", .id = FieldId::x_request_timeout}) == 2min);
    CHECK(timeout_in({.name = "", .value = "2m", .id = FieldId::grpc_timeout}) == 2ms);
    CHECK_FALSE(timeout_in({.name = "", .value = "2m", .id = FieldId::other}).has_value());
}
