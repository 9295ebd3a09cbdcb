#include "proxy/routing.h"

#include <doctest/doctest.h>

#include <string>

#include "loading.h"

namespace weir::proxy {

namespace {

constexpr const char* kRoutes = R"(
limits: {body: 100B}
routes:
  - match: {path: /reports}
    methods: [GET, POST]
    content_types: [application/json]
    limits: {body: 10B}
  - match: {path: "/documents/{id}"}
    params: {path: {id: {int: 1..}}, query: {page_size: {int: 1..100, default: 20, on_violation: clamp}}}
)";

struct Routed {
    std::string route = {};
    std::string target = {};
    std::string refusal = {};  ///< "405 reports GET, HEAD, POST"

    bool operator==(const Routed&) const = default;
};

Routed route(const std::string& yaml, const std::string& request, const std::string& fields = {}) {
    const config::Settings settings = config::load_well(yaml).settings;
    const Rules rules(settings, HashSeed{1, 2});
    const std::string bytes = request + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    http::RequestHead head;
    REQUIRE_FALSE(http::parse_request_head(bytes, head_limits(settings.limits), head).has_value());
    const Routing routing = route_request(rules, head);
    REQUIRE(routing.scope != nullptr);
    Routed routed{.route = routing.scope->route == nullptr ? "" : routing.scope->route->name,
                  .target = routing.target};
    if (const auto& refusal = routing.refusal) {
        CHECK_FALSE(refusal->detail.empty());
        routed.refusal = std::string(http::text_of(refusal->reason).slug);
        for (const std::string_view part : {refusal->rule, std::string_view(refusal->allow)}) {
            if (!part.empty()) routed.refusal.append(" ").append(part);
        }
    }
    return routed;
}

}  // namespace

TEST_CASE("without routes every path goes to the scope of all requests") {
    CHECK(route("", "GET /a%2fb") == Routed{});
}

TEST_CASE("a request takes the first route that matches, on the path in its normal form") {
    CHECK(route(kRoutes, "GET //reports") == Routed{.route = "reports"});
    CHECK(route(kRoutes, "GET /%72eports") == Routed{.route = "reports"});
    CHECK(route(kRoutes, "GET /other") == Routed{});
    CHECK(route(kRoutes, "GET /a%2fb") == Routed{.refusal = "bad_request"});
}

TEST_CASE("a path whose dot segments decide on the route is refused: some apps let them stand") {
    for (const char* path :
         {"/x/../reports", "/./reports", "/x/%2e%2E/reports", "/documents/7/../8", "/documents/.."}) {
        CAPTURE(path);
        CHECK(route(kRoutes, std::string("GET ") + path).refusal == "bad_request");
    }
    CHECK(route(kRoutes, "GET /x/../y") == Routed{});
    CHECK(route(kRoutes, "GET /reports/../y") == Routed{});
    constexpr const char* kPrefixes =
        "routes: [{match: {path: /static/*}, name: s}, {match: {path: /*}, name: all}]";
    CHECK(route(kPrefixes, "GET /static/a/../b") == Routed{.route = "s"});
    CHECK(route(kPrefixes, "GET /a/../b") == Routed{.route = "all"});
    CHECK(route(kPrefixes, "GET /static/../b").refusal == "bad_request");
    CHECK(route(kPrefixes, "GET /a/../static/b").refusal == "bad_request");
}

TEST_CASE("what does not fit the route is refused in the route's name") {
    CHECK(route(kRoutes, "DELETE /reports") ==
          Routed{.route = "reports", .refusal = "method_not_allowed reports GET, HEAD, POST"});
    CHECK(route(kRoutes, "POST /reports", "Content-Length: 2\r\nContent-Type: text/plain\r\n") ==
          Routed{.route = "reports", .refusal = "unsupported_media_type reports"});
    CHECK(route(kRoutes, "GET /documents/0") ==
          Routed{.route = "documents-id", .refusal = "invalid_parameter documents-id"});
}

TEST_CASE("a parameter that is clamped or missing makes another target") {
    CHECK(route(kRoutes, "GET /documents/7?page_size=500&x=%2f") ==
          Routed{.route = "documents-id", .target = "/documents/7?page_size=100&x=%2f"});
    CHECK(route(kRoutes, "GET /documents/7") ==
          Routed{.route = "documents-id", .target = "/documents/7?page_size=20"});
}

TEST_CASE("a body that is announced as larger than the route takes is refused, after its shape") {
    const std::string json = "Content-Type: application/json\r\n";
    CHECK(route(kRoutes, "POST /reports", json + "Content-Length: 10\r\n") == Routed{.route = "reports"});
    CHECK(route(kRoutes, "POST /reports", json + "Content-Length: 11\r\n") ==
          Routed{.route = "reports", .refusal = "body_too_large"});
    CHECK(route(kRoutes, "POST /x", "Content-Length: 100\r\n") == Routed{});
    CHECK(route(kRoutes, "POST /x", "Content-Length: 101\r\n") == Routed{.refusal = "body_too_large"});
    CHECK(route(kRoutes, "PUT /reports", "Content-Length: 11\r\n").refusal ==
          "method_not_allowed reports GET, HEAD, POST");
}

}  // namespace weir::proxy
