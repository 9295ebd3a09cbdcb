#include "http/structured_field.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "random_source.h"

using namespace weir::http;

namespace {

std::string one_string(std::string_view text) {
    std::vector<char> buffer(sf_string_bound(text.size()));
    SfListWriter list(buffer.data());
    list.string(text);
    return {buffer.data(), list.size()};
}

std::string one_parameter(int64_t value) {
    std::vector<char> buffer(sf_string_bound(0) + sf_parameter_bound("key"));
    SfListWriter list(buffer.data());
    list.string("");
    list.parameter("key", value);
    return {buffer.data(), list.size()};
}

}  // namespace

TEST_CASE("a list's members are separated, and parameters follow their member") {
    char buffer[100];
    SfListWriter list(buffer);
    CHECK(list.size() == 0);
    list.string("a");
    list.parameter("q", 60);
    list.parameter("w", 0);
    list.string("b");
    list.string("c");
    list.parameter("x", -7);
    CHECK(std::string(buffer, list.size()) == R"("a";q=60;w=0, "b", "c";x=-7)");
}

TEST_CASE("quotes and backslashes are escaped, and nothing else is") {
    CHECK(one_string("") == R"("")");
    CHECK(one_string(R"(a"b\c)") == R"("a\"b\\c")");
    CHECK(one_string(" ~,;=") == R"(" ~,;=")");
}

TEST_CASE("a byte that no String holds does not get into one") {
    CHECK(one_string("a\r\nb\x7f\xC3\xA9") == "\"a??b???\"");
}

TEST_CASE("an Integer has at most 15 digits") {
    CHECK(one_parameter(kMaxSfInteger) == "\"\";key=999999999999999");
    CHECK(one_parameter(kMaxSfInteger + 1) == "\"\";key=999999999999999");
    CHECK(one_parameter(std::numeric_limits<int64_t>::max()) == "\"\";key=999999999999999");
    CHECK(one_parameter(std::numeric_limits<int64_t>::min()) == "\"\";key=-999999999999999");
    CHECK(one_parameter(-1) == "\"\";key=-1");
}

TEST_CASE("whatever bytes come, a String is printable, closed, and within its bound") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 3000; ++round) {
        std::string text(random.below(30), ' ');
        for (char& c : text) c = random.one_in(2) ? random.one_of("\"\\") : random.byte();
        const std::string written = one_string(text);
        REQUIRE(written.size() <= sf_string_bound(text.size()));
        size_t read = 0;
        size_t at = 1;
        for (; written[at] != '"'; ++at, ++read) {
            if (written[at] == '\\') ++at;
            REQUIRE((written[at] >= ' ' && written[at] <= '~'));
        }
        REQUIRE(at + 1 == written.size());
        REQUIRE(read == text.size());
    }
}
