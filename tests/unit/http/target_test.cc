#include "http/target.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "random_source.h"

using namespace weir::http;

TEST_CASE("a path that is in normal form already stays as it is") {
    for (const char* path : {"/", "/a", "/a/", "/a/b.c/d-e_f~g", "/a%20b", "/%25", "/a;b=c,d", "/...",
                             "/a/..b", "/.a", "/a;/b", "/;a", "/a/...;b", "*"}) {
        CHECK(normalise_path(path) == path);
    }
}

TEST_CASE("what may stand in a path as it is stands so, all else is escaped with upper-case digits") {
    CHECK(normalise_path("/%61%2D%7e%5f%30") == "/a-~_0");
    CHECK(normalise_path("/%21%24%26%27%28%29%2a%2b%2c%3a%3b%3d%40") == "/!$&'()*+,:;=@");
    CHECK(normalise_path("/!$&'()*+,:;=@") == "/!$&'()*+,:;=@");
    CHECK(normalise_path("/a%c3%a9%20%23%3f") == "/a%C3%A9%20%23%3F");
    CHECK(normalise_path("/a|b\"c<d>e[f]g{h}i^j`k") ==
          normalise_path("/a%7cb%22c%3cd%3ee%5bf%5dg%7bh%7di%5ej%60k"));
    CHECK(normalise_path("/a|b") == "/a%7Cb");
    CHECK(normalise_path("/%2561") == "/%2561");
    CHECK(normalise_path("/%252e%252e") == "/%252e%252e");
}

TEST_CASE("dot segments go, escaped or not, and doubled slashes are one") {
    CHECK(normalise_path("/a/./b/../c") == "/a/c");
    CHECK(normalise_path("/a/b/..") == "/a/");
    CHECK(normalise_path("/a/.") == "/a/");
    CHECK(normalise_path("/a/..") == "/");
    CHECK(normalise_path("/a/%2e%2E/b") == "/b");
    CHECK(normalise_path("/%2e/b") == "/b");
    CHECK(normalise_path("/a/b/c/../../d") == "/a/d");
    CHECK(normalise_path("//") == "/");
    CHECK(normalise_path("//a///b//") == "/a/b/");
    CHECK(normalise_path("/.//./a") == "/a");
    CHECK(normalise_path("/a/../b//c") == "/b/c");
}

TEST_CASE("a path with its dot segments is in normal form otherwise") {
    CHECK(path_with_dots("/a/./b/%2E%2e//c%2cd") == "/a/./b/../c,d");
    CHECK(path_with_dots("/..") == "/..");
    CHECK(path_with_dots("//.") == "/.");
    for (const char* path :
         {"", "*", "a/../b", "/", "/a//b", "/...", "/a/..b", "/..;a", "/a%2f../b", "/%/../b"})
        CHECK(path_with_dots(path) == std::nullopt);
}

TEST_CASE("a path that two readers could read differently has no normal form") {
    for (const char* path : {"",
                             "a",
                             "a/b",
                             "*a",
                             "/..",
                             "/../a",
                             "/a/../..",
                             "/a/../../b",
                             "/%2e%2e",
                             "/a%2fb",
                             "/a%2Fb",
                             "/a%5cb",
                             "/a%5Cb",
                             "/a\\b",
                             "/a%00",
                             "/%",
                             "/%4",
                             "/%4g",
                             "/a%g1",
                             "/a//..",
                             "/a//../b",
                             "//..",
                             "/a//b/../..",
                             "/a/..;/b",
                             "/a/..;x=1/b",
                             "/a/%2e%2e%3b/b",
                             "/a/.;/b",
                             "/a/..;",
                             "/a/;/../b",
                             "/a/;x/../b"}) {
        CAPTURE(path);
        CHECK(normalise_path(path) == std::nullopt);
    }
}

TEST_CASE(
    "the normal form of a normal form is itself, and holds no dot segment, empty segment or needless "
    "escape") {
    RandomSource random;
    INFO("seed: " << random.seed());
    const std::vector<std::string> pieces = {"/",   "/",   ".",   "..",  "%2e", "%2E%2e", "a", "b",
                                             "%61", "%41", "%25", "%7e", "%C3", "~",      ";"};
    size_t normal_forms = 0;
    for (int round = 0; round < 30000; ++round) {
        std::string path = "/";
        for (size_t i = random.below(10); i > 0; --i) path += pieces[random.below(pieces.size())];
        const auto normal = normalise_path(path);
        if (!normal) continue;
        ++normal_forms;
        CAPTURE(path);
        REQUIRE(normalise_path(*normal) == normal);
        REQUIRE(normal->find("//") == std::string::npos);
        REQUIRE((*normal + "/").find("/./") == std::string::npos);
        REQUIRE((*normal + "/").find("/../") == std::string::npos);
        REQUIRE(normal->find("%2E") == std::string::npos);
        REQUIRE(normal->find("%61") == std::string::npos);
    }
    CHECK(normal_forms > 1000);
}

TEST_CASE("a query is walked from left to right, each piece where it stood") {
    const std::string query = "a=1&b&&=x&c=&d=e=f&";
    QueryWalk walk(query);
    std::vector<QueryParameter> found;
    while (const auto parameter = walk.next()) found.push_back(*parameter);
    REQUIRE(found.size() == 5);
    CHECK(found[0].name == "a");
    CHECK(found[0].value == "1");
    CHECK(found[0].value.data() == query.data() + 2);
    CHECK(found[1].name == "b");
    CHECK_FALSE(found[1].has_equals);
    CHECK(found[2].name.empty());
    CHECK(found[2].value == "x");
    CHECK(found[3].value.empty());
    CHECK(found[3].has_equals);
    CHECK(found[4].value == "e=f");
    CHECK_FALSE(QueryWalk("").next());
    CHECK_FALSE(QueryWalk("&&").next());
}

TEST_CASE("percent-encoding is undone, and a plus is a space only where it is said to be") {
    CHECK(percent_decode("a%20b%2Fc+d", false) == "a b/c+d");
    CHECK(percent_decode("a+b%2B", true) == "a b+");
    CHECK(percent_decode("%00", false) == std::string(1, '\0'));
    CHECK(percent_decode("%ff", false) == "\xff");
    CHECK(percent_decode("", true) == "");
    for (const char* text : {"%", "a%", "%4", "%4x", "%x4", "%%41"})
        CHECK(percent_decode(text, false) == std::nullopt);
}
