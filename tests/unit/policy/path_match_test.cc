#include "policy/path_match.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policy/outline.h"
#include "random_source.h"

using namespace weir;
using namespace weir::policy;

namespace {

bool takes(std::string_view text, std::string_view path) { return matches(pattern_of(text), path); }

/// The same question, answered letter by letter from the text of the pattern.
bool takes_plainly(std::string_view text, std::string_view path) {
    if (text.empty()) return path.empty();
    if (text == "*") return true;
    if (text.front() == '{') {
        size_t length = std::min(path.find('/'), path.size());
        return length > 0 && takes_plainly(text.substr(text.find('}') + 1), path.substr(length));
    }
    return !path.empty() && text.front() == path.front() && takes_plainly(text.substr(1), path.substr(1));
}

}  // namespace

TEST_CASE("a plain path matches itself alone") {
    CHECK(takes("/reports", "/reports"));
    CHECK_FALSE(takes("/reports", "/reports/"));
    CHECK_FALSE(takes("/reports", "/report"));
    CHECK_FALSE(takes("/reports", "/reports/x"));
    CHECK_FALSE(takes("/reports", "/Reports"));
    CHECK(takes("/reports/", "/reports/"));
    CHECK_FALSE(takes("/reports/", "/reports"));
    CHECK(takes("/", "/"));
    CHECK_FALSE(takes("/", "/a"));
}

TEST_CASE("a star takes all that begins like the text in front of it") {
    CHECK(takes("/a/*", "/a/"));
    CHECK(takes("/a/*", "/a/b"));
    CHECK(takes("/a/*", "/a/b/c/"));
    CHECK_FALSE(takes("/a/*", "/a"));
    CHECK_FALSE(takes("/a/*", "/ab/"));
    CHECK(takes("/a*", "/a"));
    CHECK(takes("/a*", "/abc/d"));
    CHECK_FALSE(takes("/a*", "/b"));
    CHECK(takes("/*", "/"));
    CHECK(takes("/{x}/b*", "/1/bc/d"));
    CHECK_FALSE(takes("/{x}/b*", "/1/c"));
}

TEST_CASE("a parameter takes one segment that is not empty") {
    CHECK(takes("/documents/{id}", "/documents/7"));
    CHECK(takes("/documents/{id}", "/documents/a%20b"));
    CHECK_FALSE(takes("/documents/{id}", "/documents/"));
    CHECK_FALSE(takes("/documents/{id}", "/documents"));
    CHECK_FALSE(takes("/documents/{id}", "/documents/7/"));
    CHECK_FALSE(takes("/documents/{id}", "/documents/7/8"));
    CHECK(takes("/{a}/x/{b}/*", "/1/x/2/"));
    CHECK_FALSE(takes("/{a}/x/{b}/*", "/1/x/2"));
}

TEST_CASE("the target of OPTIONS * is no path") {
    for (const char* text : {"/", "/*", "/{x}"}) CHECK_FALSE(takes(text, "*"));
}

TEST_CASE("the parameters of a path come from left to right, each with its segment") {
    const auto documents = pattern_of("/{tenant}/documents/{id}/*");
    PathParameterWalk walk(documents, "/acme/documents/a%2Cb/pages/2");
    const auto tenant = walk.next();
    REQUIRE(tenant);
    CHECK(tenant->name == "tenant");
    CHECK(tenant->value == "acme");
    CHECK(tenant->segment == 0);
    const auto id = walk.next();
    REQUIRE(id);
    CHECK(id->name == "id");
    CHECK(id->value == "a%2Cb");
    CHECK(id->segment == 2);
    CHECK_FALSE(walk.next());
}

TEST_CASE("patterns and paths of all shapes match as they do letter by letter") {
    http::RandomSource random;
    INFO("seed: " << random.seed());
    const std::vector<std::string> pieces = {"/a", "/b", "/ab", "/{x}", "/{y}"};
    const std::vector<std::string> ends = {"", "", "/", "*", "/*"};
    size_t matched = 0;
    for (int round = 0; round < 30000; ++round) {
        std::string text;
        for (size_t i = random.below(4); i > 0; --i) text += pieces[random.below(pieces.size())];
        text += ends[random.below(ends.size())];
        auto parsed = config::parse_pattern(text);
        if (!parsed) continue;
        std::string path;
        for (size_t i = 1 + random.below(4); i > 0; --i) path += "/" + random.text(2, "ab");
        while (path.find("//") != std::string::npos) path.erase(path.find("//"), 1);
        CAPTURE(text);
        CAPTURE(path);
        REQUIRE(matches(*parsed, path) == takes_plainly(text, path));
        if (matches(*parsed, path)) ++matched;
    }
    CHECK(matched > 1000);
}
