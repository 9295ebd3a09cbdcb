#include "policy/route_table.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "policy/outline.h"
#include "policy/path_match.h"
#include "random_source.h"

using namespace weir;
using namespace weir::policy;

namespace {

constexpr int kNone = -1;

/// The index of the route that takes the request.
int taken(const std::vector<config::Route>& routes, const Request& request) {
    const auto found = RouteTable(routes).find(request.outline());
    REQUIRE(found.has_value());
    if (!*found) return kNone;
    CHECK((*found)->route == &routes[(*found)->index]);
    return static_cast<int>((*found)->index);
}

std::vector<config::Route> routes_for(const std::vector<std::vector<std::string>>& paths) {
    std::vector<config::Route> routes;
    for (const auto& each : paths) routes.push_back(route_for(each));
    return routes;
}

/// One route that asks for this alone.
std::vector<config::Route> only(config::Match match) {
    std::vector<config::Route> routes(1);
    routes[0].match = std::move(match);
    return routes;
}

}  // namespace

TEST_CASE("the first route that matches wins") {
    const auto routes =
        routes_for({{"/api/reports/new"}, {"/api/*"}, {"/api/reports/*", "/static/*"}, {"/*"}});
    CHECK(taken(routes, {.path = "/api/reports/new"}) == 0);
    CHECK(taken(routes, {.path = "/api/reports/old"}) == 1);
    CHECK(taken(routes, {.path = "/static/a.css"}) == 2);
    CHECK(taken(routes, {.path = "/"}) == 3);
    CHECK(taken(routes, {.path = "*"}) == kNone);
}

TEST_CASE("a match names the pattern that took the path, and none where the route asks for no path") {
    auto routes = routes_for({{"/a", "/documents/{id}", "/documents/*"}, {}});
    const RouteTable table(routes);
    const auto found = table.find(Request{.path = "/documents/7"}.outline());
    REQUIRE((found && *found));
    CHECK((*found)->pattern == &routes[0].match.paths[1]);
    const auto other = table.find(Request{.path = "/else"}.outline());
    REQUIRE((other && *other));
    CHECK((*other)->index == 1);
    CHECK((*other)->pattern == nullptr);
}

TEST_CASE("without a matching route there is none, and without routes there never is") {
    CHECK(taken(routes_for({{"/a"}, {"/b/{id}"}}), {.path = "/c"}) == kNone);
    CHECK(taken({}, {.path = "/c"}) == kNone);
    CHECK(RouteTable({}).empty());
}

TEST_CASE(
    "a path without a normal form is refused where there is any route, and let pass where there is none") {
    auto routes = only({.paths = {}, .methods = {"POST"}, .host = {}, .headers = {}});
    const Request unclear{.path = ""};
    const auto refused = RouteTable(routes).find(unclear.outline());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == Misfit::Kind::unclear);
    CHECK(refused.error().detail == "the path can be read in more than one way");
    CHECK(taken({}, unclear) == kNone);
}

TEST_CASE("a list of methods takes those, and HEAD where it has GET") {
    const auto writers = only({.paths = {}, .methods = {"POST", "PUT"}, .host = {}, .headers = {}});
    CHECK(taken(writers, {.method = "PUT"}) == 0);
    CHECK(taken(writers, {.method = "GET"}) == kNone);
    CHECK(taken(writers, {.method = "HEAD"}) == kNone);
    CHECK(taken(writers, {.method = "post"}) == kNone);
    const auto readers = only({.paths = {}, .methods = {"GET"}, .host = {}, .headers = {}});
    CHECK(taken(readers, {.method = "HEAD"}) == 0);
    const auto heads = only({.paths = {}, .methods = {"HEAD"}, .host = {}, .headers = {}});
    CHECK(taken(heads, {.method = "GET"}) == kNone);
}

TEST_CASE("a host matches in any case, with any port and with the dot at its end") {
    const auto routes = only({.paths = {}, .methods = {}, .host = "app.example", .headers = {}});
    for (const char* host :
         {"app.example", "APP.Example", "app.example:8080", "app.example.", "app.example.:80"})
        CHECK(taken(routes, {.host = host}) == 0);
    for (const char* host : {"", "app.example.org", "xapp.example", "app.exampl", "example", "app.example.."})
        CHECK(taken(routes, {.host = host}) == kNone);
}

TEST_CASE("a host with a port matches that port alone, however it is written") {
    const auto routes = only({.paths = {}, .methods = {}, .host = "app.example:80", .headers = {}});
    CHECK(taken(routes, {.host = "app.example:80"}) == 0);
    CHECK(taken(routes, {.host = "app.example:0080"}) == 0);
    CHECK(taken(routes, {.host = "app.example:8080"}) == kNone);
    CHECK(taken(routes, {.host = "app.example"}) == kNone);
}

TEST_CASE("the colons of an IPv6 address are not those of a port") {
    const auto routes = only({.paths = {}, .methods = {}, .host = "[2001:db8::1]", .headers = {}});
    CHECK(taken(routes, {.host = "[2001:DB8::1]"}) == 0);
    CHECK(taken(routes, {.host = "[2001:db8::1]:8080"}) == 0);
    CHECK(taken(routes, {.host = "[2001:db8::2]"}) == kNone);
    CHECK(taken(routes, {.host = "[2001"}) == kNone);
}

TEST_CASE(
    "every field that is asked for has to be there, with the value that is asked for in one of its lines") {
    const auto routes =
        only({.paths = {},
              .methods = {},
              .host = {},
              .headers = {{.name = "x-plan", .value = "gold"}, {.name = "x-any", .value = {}}}});
    CHECK(taken(routes, {.fields = {{"x-plan", "gold"}, {"x-any", ""}}}) == 0);
    CHECK(taken(routes, {.fields = {{"x-plan", "tin"}, {"x-any", "1"}, {"x-plan", "gold"}}}) == 0);
    CHECK(taken(routes, {.fields = {{"x-plan", "gold"}}}) == kNone);
    CHECK(taken(routes, {.fields = {{"x-any", "1"}}}) == kNone);
    CHECK(taken(routes, {.fields = {{"x-plan", "Gold"}, {"x-any", "1"}}}) == kNone);
    const Request request;
    RequestOutline without_fields = request.outline();
    without_fields.field_line = nullptr;
    CHECK_FALSE(RouteTable(routes).find(without_fields).value());
}

TEST_CASE("all that a route asks for has to hold at once") {
    auto routes = routes_for({{"/a"}, {"/a"}});
    routes[0].match.methods = {"POST"};
    routes[0].match.host = "app.example";
    CHECK(taken(routes, {.path = "/a", .method = "POST", .host = "app.example"}) == 0);
    CHECK(taken(routes, {.path = "/a", .method = "POST", .host = "other.example"}) == 1);
    CHECK(taken(routes, {.path = "/a", .method = "GET", .host = "app.example"}) == 1);
}

TEST_CASE("a table finds what looking at each route in turn finds") {
    http::RandomSource random;
    INFO("seed: " << random.seed());
    const std::vector<std::string> pieces = {"/a", "/api", "/reports", "/{x}", "/{y}", "/a%20b"};
    const std::vector<std::string> ends = {"", "", "/", "*", "/*"};
    size_t found = 0;
    for (int round = 0; round < 2000; ++round) {
        std::vector<config::Route> routes(random.below(12));
        for (config::Route& route : routes) {
            for (size_t i = random.below(3); i > 0; --i) {
                std::string text = pieces[random.below(pieces.size())] + pieces[random.below(pieces.size())] +
                                   ends[random.below(ends.size())];
                auto parsed = config::parse_pattern(text);
                if (parsed) route.match.paths.push_back(std::move(parsed.value()));
            }
            if (random.one_in(3)) route.match.methods = {"POST"};
        }
        const RouteTable table(routes);
        for (int tries = 0; tries < 20; ++tries) {
            std::string path;
            for (size_t i = random.below(4); i > 0; --i) path += pieces[random.below(pieces.size())];
            if (path.empty() || random.one_in(4)) path += "/";
            const std::string method = random.one_in(2) ? "POST" : "GET";
            int expected = kNone;
            for (size_t i = 0; i < routes.size() && expected == kNone; ++i) {
                const config::Match& match = routes[i].match;
                bool takes = match.paths.empty();
                for (const auto& pattern : match.paths) takes = takes || matches(pattern, path);
                if (takes && (match.methods.empty() || method == "POST")) expected = static_cast<int>(i);
            }
            CAPTURE(path);
            const auto got = table.find(Request{.path = path, .method = method}.outline());
            REQUIRE(got.has_value());
            REQUIRE((*got ? static_cast<int>((*got)->index) : kNone) == expected);
            if (expected != kNone) ++found;
        }
    }
    CHECK(found > 1000);
}
