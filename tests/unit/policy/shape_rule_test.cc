#include "policy/shape_rule.h"

#include <doctest/doctest.h>

#include "policy/method_list.h"
#include "policy/outline.h"

using namespace weir;
using namespace weir::policy;

namespace {

config::Route with_methods(std::vector<std::string> methods) {
    config::Route route;
    route.methods = std::move(methods);
    return route;
}

bool takes_body(std::vector<std::string> types, std::vector<std::pair<std::string, std::string>> fields) {
    config::Route route;
    route.content_types = std::move(types);
    const Request request{.method = "POST", .fields = std::move(fields), .has_body = true};
    const auto misfit = check_shape(route, request.outline());
    if (misfit) CHECK(misfit->kind == Misfit::Kind::body_type);
    return !misfit;
}

bool takes_type(std::vector<std::string> types, const std::string& value) {
    return takes_body(std::move(types), {{"content-type", value}});
}

}  // namespace

TEST_CASE("a method that a route does not take is refused with those that it takes") {
    const auto route = with_methods({"GET", "POST"});
    CHECK_FALSE(check_shape(route, Request{.method = "POST"}.outline()));
    CHECK_FALSE(check_shape(route, Request{.method = "HEAD"}.outline()));
    const auto misfit = check_shape(route, Request{.method = "DELETE"}.outline());
    REQUIRE(misfit);
    CHECK(misfit->kind == Misfit::Kind::method);
    CHECK(misfit->detail == "the methods allowed here: GET, HEAD, POST");
    CHECK(check_shape(route, Request{.method = "get"}.outline()));
}

TEST_CASE("a route that names no method and no type takes all") {
    CHECK_FALSE(check_shape({}, Request{.method = "BREW", .has_body = true}.outline()));
}

TEST_CASE("Allow has each method once, and HEAD beside GET") {
    CHECK(allow_value({"POST"}) == "POST");
    CHECK(allow_value({"GET", "POST"}) == "GET, HEAD, POST");
    CHECK(allow_value({"HEAD", "GET"}) == "HEAD, GET");
    CHECK(allow_value({"HEAD"}) == "HEAD");
}

TEST_CASE("a body of a listed type passes, whatever its case and parameters") {
    for (const char* value : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                              "application/json ; charset=\"a,b\""}) {
        CHECK(takes_type({"text/csv", "application/json"}, value));
    }
    CHECK(takes_type({"image/*"}, "image/png"));
    CHECK(takes_type({"image/*"}, "IMAGE/svg+xml"));
}

TEST_CASE("a body of another type is refused with those that are taken") {
    for (const char* value : {"text/plain", "application/jsonp", "application/json-patch+json", "application",
                              "application/", "/json", "json", "", ";", "application/json, text/html"}) {
        CAPTURE(value);
        CHECK_FALSE(takes_type({"application/json"}, value));
    }
    for (const char* value : {"imagery/png", "image/", "image/png, text/html", "image/ png", "image/*/a"})
        CHECK_FALSE(takes_type({"image/*"}, value));
    config::Route route;
    route.content_types = {"application/json", "image/*"};
    const auto misfit = check_shape(route, Request{.has_body = true}.outline());
    REQUIRE(misfit);
    CHECK(misfit->detail == "a body has to be declared as one of: application/json, image/*");
}

TEST_CASE("a body without a type, or with two, is refused, and a request without a body needs none") {
    CHECK_FALSE(takes_body({"application/json"}, {}));
    CHECK_FALSE(takes_body({"application/json"},
                           {{"content-type", "application/json"}, {"content-type", "application/json"}}));
    config::Route route;
    route.content_types = {"application/json"};
    CHECK_FALSE(check_shape(route, Request{.fields = {{"content-type", "text/plain"}}}.outline()));
}

TEST_CASE("the method is looked at before the body") {
    auto route = with_methods({"PUT"});
    route.content_types = {"application/json"};
    const auto misfit = check_shape(route, Request{.method = "POST", .has_body = true}.outline());
    REQUIRE(misfit);
    CHECK(misfit->kind == Misfit::Kind::method);
}
