#include "config/path_pattern.h"

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::config;

namespace {

PathPattern pattern(std::string_view text) {
    auto result = parse_pattern(text);
    CAPTURE(text);
    REQUIRE(result.has_value());
    return *result;
}

std::string wrong(std::string_view text) {
    auto result = parse_pattern(text);
    CAPTURE(text);
    REQUIRE_FALSE(result.has_value());
    return result.error().message + " | " + result.error().hint;
}

bool takes(std::string_view outer, std::string_view inner) { return covers(pattern(outer), pattern(inner)); }

}  // namespace

TEST_CASE("a pattern is what stands behind each slash") {
    using Segment = PathPattern::Segment;
    CHECK(pattern("/").segments == std::vector<Segment>{{"", false}});
    CHECK(pattern("/a").segments == std::vector<Segment>{{"a", false}});
    CHECK(pattern("/a/").segments == std::vector<Segment>{{"a", false}, {"", false}});
    CHECK(pattern("/documents/{id}/p").segments ==
          std::vector<Segment>{{"documents", false}, {"id", true}, {"p", false}});
    CHECK_FALSE(pattern("/a/").takes_rest);
    CHECK(pattern("/a/*").segments == std::vector<Segment>{{"a", false}, {"", false}});
    CHECK(pattern("/a/*").takes_rest);
    CHECK(pattern("/a*").segments == std::vector<Segment>{{"a", false}});
    CHECK(pattern("/*").segments == std::vector<Segment>{{"", false}});
    CHECK(pattern("/{a}/*").text == "/{a}/*");
    CHECK(pattern("/a%20b;c=1:@!$&'()+,").segments.size() == 1);
    CHECK(pattern("/a%2A%2Ab/%2A*").segments == std::vector<Segment>{{"a**b", false}, {"*", false}});
    CHECK(pattern("/%2A").segments == std::vector<Segment>{{"*", false}});
    CHECK_FALSE(pattern("/%2A").takes_rest);
}

TEST_CASE("what no path could match is refused, with the way out") {
    CHECK(wrong("a/b") == "`a/b` does not begin with a slash | did you mean `/a/b`?");
    CHECK(wrong("") == "`` does not begin with a slash | write `/` for the root");
    CHECK(wrong("http://a:5000/up").ends_with("does not begin with a slash | did you mean `/up`?"));
    CHECK(wrong("http://a").ends_with("| did you mean `/`?"));
    CHECK(wrong("true").ends_with("| write a path that the app has"));
    CHECK(wrong("*").starts_with("`*` does not begin with a slash"));
    CHECK(wrong("/a/*/b") == "`/a/*/b` has a `*` before its end | `*` stands for everything that follows");
    CHECK(wrong("/a**").find("before its end") != std::string::npos);
    CHECK(wrong("/a?x=1") == "`/a?x=1` has a `?`, and a path ends before it | did you mean `/a`?");
    CHECK(wrong("/a{id}").find("`a{id}`, which is not a parameter") != std::string::npos);
    for (const char* text : {"/{}", "/{a", "/a}", "/{a}{b}", "/{a}b", "/{a b}", "/{{a}}", "/{a}*"})
        CHECK_FALSE(wrong(text).empty());
    CHECK(wrong("/{a}*").ends_with("did you mean `/{a}/*`?"));
    CHECK(wrong("/{a}/{a}") == "`/{a}/{a}` names `a` twice | ");
    CHECK(wrong("/a//b").ends_with("write one slash"));
    CHECK(wrong("//").ends_with("write one slash"));
    CHECK(wrong("/a/../b").find("resolved before") != std::string::npos);
    CHECK(wrong("/.").find("resolved before") != std::string::npos);
    CHECK(wrong("/a b").ends_with("did you mean `/a%20b`?"));
    CHECK(wrong("/é").ends_with("did you mean `/%C3%A9`?"));
    CHECK(wrong("/a\\b").ends_with("did you mean `/a%5Cb`?"));
    CHECK(wrong("/%7Ea").ends_with("write `~`"));
    CHECK(wrong("/a%3Ab") == "`/a%3Ab` has `%3A`, which is compared as `:` | write `:`");
    CHECK(wrong("/%2c").find("lower-case escape") != std::string::npos);
    CHECK(wrong("/%2").find("incomplete") != std::string::npos);
    CHECK(wrong("/%2F").find("always refused") != std::string::npos);
    CHECK(wrong("/%00").find("always refused") != std::string::npos);
}

TEST_CASE("one path is no pattern") {
    CHECK(*parse_path("/healthz") == "/healthz");
    CHECK_FALSE(parse_path("/a/*").has_value());
    CHECK_FALSE(parse_path("/{a}").has_value());
    CHECK_FALSE(parse_path("a").has_value());
}

TEST_CASE("a pattern covers another where it takes every path of it") {
    CHECK(takes("/a", "/a"));
    CHECK(takes("/*", "/"));
    CHECK(takes("/*", "/a/{b}/*"));
    CHECK(takes("/a/*", "/a/"));
    CHECK(takes("/a/*", "/a/b/c"));
    CHECK(takes("/a/*", "/a/{x}"));
    CHECK(takes("/a*", "/a"));
    CHECK(takes("/a*", "/ab/*"));
    CHECK(takes("/a*", "/a/*"));
    CHECK(takes("/{x}", "/a"));
    CHECK(takes("/{x}", "/{y}"));
    CHECK(takes("/{x}/*", "/a/*"));
    CHECK(takes("/{x}/b", "/a/b"));

    CHECK_FALSE(takes("/a", "/b"));
    CHECK_FALSE(takes("/a", "/a/"));
    CHECK_FALSE(takes("/a/*", "/a"));
    CHECK_FALSE(takes("/a/*", "/a*"));
    CHECK_FALSE(takes("/a/*", "/*"));
    CHECK_FALSE(takes("/ab*", "/a*"));
    CHECK_FALSE(takes("/a*", "/{x}"));
    CHECK_FALSE(takes("/{x}", "/"));
    CHECK_FALSE(takes("/{x}", "/a*"));
    CHECK_FALSE(takes("/a", "/{x}"));
    CHECK_FALSE(takes("/{x}/*", "/a*"));
    CHECK_FALSE(takes("/a", "/a*"));
}
