#include "proxy/shaped_target.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "config/path_pattern.h"
#include "http/target.h"
#include "random_source.h"

using namespace weir;
using namespace weir::proxy;
using config::OnViolation;
using config::Param;
using policy::Misfit;

namespace {

constexpr auto kClamp = OnViolation::clamp;

Param integer(std::string name, int64_t low, int64_t high, OnViolation on_violation = OnViolation::reject) {
    Param param;
    param.name = std::move(name);
    param.integer = {low, high};
    param.on_violation = on_violation;
    return param;
}

Param with_default(Param param, std::string fallback) {
    param.fallback = std::move(fallback);
    return param;
}

Param any(std::string name) {
    Param param;
    param.name = std::move(name);
    return param;
}

Param required(std::string name) {
    Param param = any(std::move(name));
    param.required = true;
    return param;
}

/// A route with one pattern, and what becomes of targets on it.
class Shaper {
  public:
    explicit Shaper(config::Params params, std::string_view pattern = "/*") {
        route_.params = std::move(params);
        route_.match.paths.push_back(config::parse_pattern(pattern).value());
    }

    [[nodiscard]] ShapedTarget operator()(std::string_view target) const {
        const auto path = http::normalise_path(target.substr(0, target.find('?')));
        REQUIRE(path);
        return shape_target({&route_, &route_.match.paths[0], 0}, *path, target);
    }

    /// What is sent on, or the complaint.
    [[nodiscard]] std::string sent(std::string_view target) const {
        const ShapedTarget shaped = (*this)(target);
        if (!shaped) return shaped.error().detail;
        if (*shaped) CHECK(**shaped != target);
        return shaped->value_or(std::string(target));
    }

  private:
    config::Route route_;
};

Shaper query(std::vector<Param> rules) { return Shaper({.path = {}, .query = std::move(rules)}); }

const std::string kPageWrong = "page must be an integer from 1 to 9";

}  // namespace

TEST_CASE("a target that fits is left alone, and so is one that no rule is about") {
    const Shaper shaper = query({integer("page", 1, 9)});
    for (const char* target :
         {"/", "/?", "/a?page=3", "/a?x=%zz&page=9&&y", "/a?pages=0&pag=0&PAGE=0", "/a?x=page=0"}) {
        const auto shaped = shaper(target);
        REQUIRE(shaped.has_value());
        CHECK_FALSE(shaped->has_value());
    }
    CHECK_FALSE(query({})("/a?%zz=%zz;[").value());
}

TEST_CASE("a value out of its range is refused, with the parameter and its bound") {
    const Shaper shaper = query({integer("page", 1, 9)});
    for (const char* target : {"/?page=0", "/?page=10", "/?page=", "/?page", "/?page=+5", "/?page=5+",
                               "/?page=%2B5", "/?page=abc", "/?x=1&page=0", "/?page=5;x"}) {
        CAPTURE(target);
        CHECK(shaper.sent(target) == kPageWrong);
        CHECK(shaper(target).error().kind == Misfit::Kind::parameter);
    }
}

TEST_CASE("names and values count as they are once decoded") {
    const Shaper shaper = query({integer("page", 1, 9), integer("a b", 1, 9)});
    CHECK(shaper.sent("/?%70age=0") == kPageWrong);
    CHECK(shaper.sent("/?%70%61%67%65=%30") == kPageWrong);
    CHECK(shaper.sent("/?page=%35") == "/?page=%35");
    CHECK(shaper.sent("/?a+b=0") == "a b must be an integer from 1 to 9");
    CHECK(shaper.sent("/?a%20b=0") == "a b must be an integer from 1 to 9");
    CHECK(shaper.sent("/?%2570age=0") == "/?%2570age=0");
    Param order = any("order");
    order.choices = {"by name"};
    CHECK(query({order}).sent("/?order=by+name") == "/?order=by+name");
    CHECK(query({order}).sent("/?order=by%2Bname") == "order must be one of by name");
}

TEST_CASE("a malformed escape is refused in a value with a rule and in any name, but not in other values") {
    const Shaper shaper = query({integer("page", 1, 9)});
    CHECK(shaper.sent("/?page=%3") == "page has a malformed escape");
    CHECK(shaper.sent("/?p%61ge%=1") == "the name of a query parameter has a malformed escape");
    CHECK(shaper("/?p%61ge%=1").error().kind == Misfit::Kind::unclear);
    CHECK(shaper.sent("/?x=100%") == "/?x=100%");
}

TEST_CASE("every occurrence of a parameter has to fit") {
    const Shaper shaper = query({integer("page", 1, 9)});
    CHECK(shaper.sent("/?page=1&page=2") == "/?page=1&page=2");
    CHECK(shaper.sent("/?page=1&x&page=0") == kPageWrong);
    CHECK(shaper.sent("/?page=0&page=1") == kPageWrong);
    const Shaper clamping = query({integer("page", 1, 9, kClamp)});
    CHECK(clamping.sent("/?page=0&page=5&%70age=10") == "/?page=1&page=5&%70age=9");
}

TEST_CASE("clamping replaces the value alone") {
    const Shaper shaper = query({integer("page", 1, 9, kClamp), integer("size", 1, 100, kClamp)});
    CHECK(shaper.sent("/a//./b?x=%7a&page=99&y=+&&z") == "/a//./b?x=%7a&page=9&y=+&&z");
    CHECK(shaper.sent("/?page=-5&size=5000") == "/?page=1&size=100");
    CHECK(shaper.sent("/?size=5000&page=-5&") == "/?size=100&page=1&");
    CHECK(shaper.sent("/?%70age=%39%39") == "/?%70age=9");
    CHECK(shaper.sent("/?page=abc") == kPageWrong);
}

TEST_CASE("what is missing is put behind the end, encoded where it has to be") {
    const Shaper shaper =
        query({with_default(integer("page", 1, 9), "1"), with_default(integer("size", 1, 100), "20")});
    CHECK(shaper.sent("/a") == "/a?page=1&size=20");
    CHECK(shaper.sent("/a?") == "/a?page=1&size=20");
    CHECK(shaper.sent("/a?x") == "/a?x&page=1&size=20");
    CHECK(shaper.sent("/a?size=3") == "/a?size=3&page=1");
    CHECK(shaper.sent("/a?size=3&p%61ge=2") == "/a?size=3&p%61ge=2");
    CHECK(query({with_default(any("a b&"), "x=\xc3\xa9+;~")}).sent("/") == "/?a%20b%26=x%3D%C3%A9%2B%3B~");
}

TEST_CASE("what is required has to be there, if only once and empty") {
    const Shaper shaper = query({required("q")});
    CHECK(shaper.sent("/") == "q is required");
    CHECK(shaper.sent("/?Q=1") == "q is required");
    CHECK(shaper.sent("/?q[]=1") == "q is required");
    CHECK(shaper.sent("/?q") == "/?q");
    CHECK(shaper.sent("/?a=1&%71=2&q=3") == "/?a=1&%71=2&q=3");
}

TEST_CASE("where some apps would read another value of the parameter, that has to fit as it is") {
    for (const OnViolation on_violation : {OnViolation::reject, kClamp}) {
        const Shaper shaper = query({integer("page", 1, 9, on_violation)});
        for (const char* target :
             {"/?x=1;page=0", "/?x;page=0", "/?page=1&x=;%70age=0", "/?page[]=0", "/?page[0]=0",
              "/?page%5B%5D=0", "/?x;page[]=0", "/?amp;page=0", "/?page;x=0", "/?page[;x=1"}) {
            CAPTURE(target);
            CHECK_FALSE(shaper(target).has_value());
        }
        for (const char* target :
             {"/?x=1;page=2", "/?page[]=2", "/?amp;page=2", "/?x=a;b", "/?y[page]=0", "/?[]=0"})
            CHECK(shaper.sent(target) == target);
    }
    CHECK(query({integer("page", 1, 9, kClamp)}).sent("/?page[]=10") ==
          "page is given in a way that apps read differently");
    const Shaper nested = query({integer("page", 1, 9), integer("page[size]", 1, 100, kClamp)});
    CHECK(nested.sent("/?page[size]=101") == "/?page[size]=100");
    CHECK(nested.sent("/?x;page[size]=50") == "/?x;page[size]=50");
}

TEST_CASE("a value with a semicolon is one value to a rule that allows it") {
    Param param = any("sort");
    param.choices = {"a;b"};
    CHECK(query({param}).sent("/?sort=a;b") == "/?sort=a;b");
    CHECK(query({param}).sent("/?sort=a;c") == "sort must be one of a;b");
}

TEST_CASE("a parameter of the path is judged decoded, with a plus that is a plus") {
    Param id = integer("id", 1, 9);
    Param word = any("word");
    word.choices = {"a+b c"};
    const Shaper shaper({.path = {id, word}, .query = {}}, "/{other}/{id}/x/{word}");
    CHECK(shaper.sent("/zzz/7/x/a+b%20c") == "/zzz/7/x/a+b%20c");
    CHECK(shaper.sent("/zzz/%37/x/a+b%20c?id=0") == "/zzz/%37/x/a+b%20c?id=0");
    CHECK(shaper.sent("/zzz/0/x/a+b%20c") == "id must be an integer from 1 to 9");
    CHECK(shaper.sent("/zzz/7;v=1/x/a+b%20c") == "id must be an integer from 1 to 9");
    CHECK(shaper.sent("/zzz/7/x/a%20b%20c") == "word must be one of a+b c");
}

TEST_CASE("a parameter of the path is clamped where it stands in the path that came") {
    const Shaper shaper({.path = {integer("a", 1, 9, kClamp), integer("b", 1, 9, kClamp)},
                         .query = {integer("a", 1, 5, kClamp)}},
                        "/d/{a}/{b}/*");
    CHECK(shaper.sent("/d/77/0/e?a=77") == "/d/9/1/e?a=5");
    CHECK(shaper.sent("/d/%37%37/3/e") == "/d/9/3/e");
    CHECK(shaper.sent("/d/./5/../77/%2e/x/%2E./33//e/.") == "/d/./5/../9/%2e/x/%2E./9//e/.");
}

TEST_CASE("a route without a path pattern still has its query shaped") {
    config::Route route;
    route.params.query = {integer("page", 1, 9, kClamp)};
    CHECK(shape_target({&route, nullptr, 0}, "*", "*").value() == std::nullopt);
    CHECK(shape_target({&route, nullptr, 0}, "/", "/?page=0").value() == "/?page=1");
}

TEST_CASE("shaping touches nothing but the values that it replaces, and doing it again changes nothing") {
    http::RandomSource random;
    INFO("seed: " << random.seed());
    const Shaper shaper(
        {.path = {integer("id", 1, 9, kClamp)},
         .query = {integer("page", 1, 9, kClamp), with_default(integer("size", 10, 99, kClamp), "20"),
                   with_default(any("s p"), "x&y")}},
        "/d/{id}/*");
    const std::vector<std::string> pieces = {"page=",   "size=", "%70age=", "s+p=", "x=",  "amp;",
                                             "page[]=", "&",     "&",       "=",    "500", "0",
                                             "-3",      "7",     "%37",     "%",    ";",   "x"};
    const std::vector<std::string> paths = {"/d/5/",        "/d/500/e",    "//d/0/./e",
                                            "/x/../d/%30/", "/d/3/../77/", "/d/-1/%61"};
    size_t rewritten = 0;
    for (int round = 0; round < 30000; ++round) {
        std::string target = paths[random.below(paths.size())];
        const size_t path_end = target.size();
        if (!random.one_in(8)) target += "?";
        for (size_t i = target.size() > path_end ? random.below(9) : 0; i > 0; --i)
            target += pieces[random.below(pieces.size())];
        CAPTURE(target);
        const auto shaped = shaper(target);
        if (!shaped || !*shaped) continue;
        ++rewritten;
        const std::string& out = **shaped;
        CAPTURE(out);
        const auto again = shaper(out);
        REQUIRE(again.has_value());
        REQUIRE_FALSE(again->has_value());

        // Piece by piece: the same names and separators; a value differs only where a number was clamped.
        const std::string query_in = target.size() > path_end ? target.substr(path_end + 1) : "";
        const std::string query_out = out.substr(out.find('?') + 1);
        http::QueryWalk before(query_in);
        http::QueryWalk after(query_out);
        size_t at_in = 0;
        size_t at_out = 0;
        while (const auto old_piece = before.next()) {
            const auto new_piece = after.next();
            REQUIRE(new_piece);
            REQUIRE(new_piece->name == old_piece->name);
            REQUIRE(new_piece->has_equals == old_piece->has_equals);
            const auto start_in = static_cast<size_t>(old_piece->name.data() - query_in.data());
            const auto start_out = static_cast<size_t>(new_piece->name.data() - query_out.data());
            REQUIRE(start_in - at_in == start_out - at_out);
            at_in = start_in + old_piece->name.size() + old_piece->has_equals + old_piece->value.size();
            at_out = start_out + new_piece->name.size() + new_piece->has_equals + new_piece->value.size();
            if (new_piece->value == old_piece->value) continue;
            const auto name = http::percent_decode(old_piece->name, true);
            REQUIRE((name == "page" || name == "size"));
            REQUIRE(new_piece->value.find_first_not_of("0123456789") == std::string::npos);
        }
    }
    CHECK(rewritten > 1000);
}

TEST_CASE("no target, however odd, does harm") {
    http::RandomSource random;
    INFO("seed: " << random.seed());
    const Shaper shaper(
        {.path = {},
         .query = {integer("page", 1, 9, kClamp), with_default(integer("n", 1, 9), "1"), required("")}});
    size_t fits = 0;
    for (int round = 0; round < 50000; ++round) {
        const std::string target = random.mutated("/a?page=12&n=3&=x;page[0]=%35&x=%41+b");
        const auto path = http::normalise_path(target.substr(0, target.find('?')));
        if (!path) continue;
        CAPTURE(target);
        const auto shaped = shaper(target);
        if (!shaped) {
            REQUIRE_FALSE(shaped.error().detail.empty());
            continue;
        }
        ++fits;
        REQUIRE_FALSE(shaper(shaped->value_or(target)).value().has_value());
    }
    CHECK(fits > 1000);
}
