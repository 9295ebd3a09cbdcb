#include "config/nearest.h"

#include <vector>

#include <doctest/doctest.h>

using namespace weir::config;

TEST_CASE("edit distance counts insertions, deletions, replacements and swaps of neighbours") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("body", "bdy") == 1);
    CHECK(edit_distance("body", "bodyy") == 1);
    CHECK(edit_distance("body", "bady") == 1);
    CHECK(edit_distance("body", "bdoy") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("only a name near enough to be meant is suggested") {
    const std::vector<std::string> names{"total", "header", "headers", "connect"};
    CHECK(nearest("totl", names) == "total");
    CHECK(nearest("conect", names) == "connect");
    CHECK(nearest("headres", names) == "headers");
    CHECK(nearest("header_", names) == "header");
    CHECK(nearest("x", names).empty());
    CHECK(nearest("rate", names).empty());
    CHECK(nearest("", names).empty());
    CHECK(nearest(std::string(100'000, 'h'), names).empty());
}
