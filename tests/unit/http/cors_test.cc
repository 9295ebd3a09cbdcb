#include "http/cors.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace weir;
using namespace weir::http;
using Kind = CorsRequest::Kind;
using Lines = std::vector<std::string>;

namespace {

CorsPolicy two_origins() {
    CorsPolicy policy;
    policy.origins = {"https://b.example", "https://a.example:8443"};
    policy.methods = {"GET", "DELETE"};
    policy.headers = {"Authorization", "X-Thing"};
    policy.expose = {"RateLimit", "X-Request-ID"};
    policy.max_age = std::chrono::minutes(10);
    return policy;
}

CorsPolicy any_origin() {
    CorsPolicy policy = two_origins();
    policy.origins = {"*"};
    return policy;
}

RequestHead head_of(Method method, std::vector<std::pair<std::string_view, std::string_view>> fields) {
    RequestHead head;
    head.method = method;
    for (const auto& [name, value] : fields) {
        head.fields.push_back({.name = name, .value = value, .id = field_id_of(name)});
    }
    return head;
}

RequestHead get_from(std::string_view origin) { return head_of(Method::get, {{"Origin", origin}}); }

RequestHead preflight_from(std::string_view origin, std::string_view headers = "x-thing") {
    return head_of(Method::options, {{"origin", origin},
                                     {"access-control-request-method", "DELETE"},
                                     {"access-control-request-headers", headers}});
}

Lines lines_of(const std::vector<Field>& fields) {
    Lines lines;
    for (const Field& field : fields)
        lines.push_back(std::string(field.name) + ": " + std::string(field.value));
    return lines;
}

Lines answered(const CorsPolicy& policy, const RequestHead& head, std::vector<Field> fields = {}) {
    const Cors cors(policy);
    const CorsRequest request = cors.read(head);
    if (request.kind == Kind::preflight) {
        cors.add_preflight_fields(request, fields);
    } else {
        cors.replace_fields(request, fields);
    }
    return lines_of(fields);
}

const std::string kPreflightVary =
    "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

}  // namespace

TEST_CASE("without origins nothing is said, and what the app says passes") {
    CHECK(Cors(CorsPolicy()).read(preflight_from("https://a.example")).kind == Kind::off);
    CHECK(answered(CorsPolicy(), get_from("https://a.example"),
                   {{.name = "Access-Control-Allow-Origin", .value = "*"}}) ==
          Lines{"Access-Control-Allow-Origin: *"});
    std::vector<Field> fields;
    Cors(CorsPolicy()).add_preflight_fields({}, fields);
    CHECK(fields.empty());
}

TEST_CASE("a preflight is OPTIONS with an origin and the method that is asked for") {
    const Cors cors(two_origins());
    CHECK(cors.read(preflight_from("https://b.example")).kind == Kind::preflight);
    CHECK(cors.read(preflight_from("https://else.example")).kind == Kind::preflight);
    const auto kind_of = [&cors](Method method, auto fields) {
        return cors.read(head_of(method, std::move(fields))).kind;
    };
    using Fields = std::vector<std::pair<std::string_view, std::string_view>>;
    CHECK(kind_of(Method::options, Fields{{"Origin", "https://b.example"}}) == Kind::ordinary);
    CHECK(kind_of(Method::options, Fields{{"Access-Control-Request-Method", "PUT"}}) == Kind::ordinary);
    CHECK(kind_of(Method::get, Fields{{"Origin", "null"}, {"Access-Control-Request-Method", "PUT"}}) ==
          Kind::ordinary);
    CHECK(kind_of(Method::get, Fields{}) == Kind::ordinary);
}

TEST_CASE("a preflight from an allowed origin is told what is allowed") {
    CHECK(answered(two_origins(), preflight_from("https://b.example")) ==
          Lines{kPreflightVary, "Access-Control-Allow-Origin: https://b.example",
                "Access-Control-Allow-Methods: GET, DELETE",
                "Access-Control-Allow-Headers: Authorization, X-Thing", "Access-Control-Max-Age: 600"});
}

TEST_CASE("a preflight from any other origin is told nothing") {
    for (const std::string_view origin :
         {"https://c.example", "https://b.example.evil.example", "https://b.exampl", "http://b.example",
          "https://B.example", "https://a.example", "null", "*", ""}) {
        CAPTURE(origin);
        CHECK(answered(two_origins(), preflight_from(origin)) == Lines{kPreflightVary});
    }
}

TEST_CASE("two origins are none") {
    RequestHead head = preflight_from("https://b.example");
    head.fields.push_back({.name = "Origin", .value = "https://b.example"});
    CHECK(answered(two_origins(), head) == Lines{kPreflightVary});
    head.fields.push_back({.name = "Origin", .value = "https://b.example"});
    CHECK(answered(two_origins(), head) == Lines{kPreflightVary});
}

TEST_CASE("credentials are allowed only where the origin is named") {
    CorsPolicy policy = two_origins();
    policy.credentials = true;
    CHECK(answered(policy, get_from("https://b.example")) ==
          Lines{"Vary: Origin", "Access-Control-Allow-Origin: https://b.example",
                "Access-Control-Allow-Credentials: true",
                "Access-Control-Expose-Headers: RateLimit, X-Request-ID"});
    CHECK(answered(policy, preflight_from("https://b.example")).at(2) ==
          "Access-Control-Allow-Credentials: true");
    policy.origins = {"*"};
    CHECK(answered(policy, get_from("https://b.example")) ==
          Lines{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: RateLimit, X-Request-ID"});
    for (const std::string& line : answered(policy, preflight_from("https://b.example")))
        CHECK(line.find("Credentials") == std::string::npos);
}

TEST_CASE("where any header is allowed, those that were asked for are") {
    CorsPolicy policy = two_origins();
    policy.headers = {"*"};
    CHECK(answered(policy, preflight_from("https://b.example", "authorization,\tx-a")).at(3) ==
          "Access-Control-Allow-Headers: authorization,\tx-a");
    for (const std::string_view odd : {"", "x-a; y", "x\"a", "a/b", "\xC3\xA9"}) {
        CAPTURE(odd);
        CHECK(answered(policy, preflight_from("https://b.example", odd)) ==
              Lines{kPreflightVary, "Access-Control-Allow-Origin: https://b.example",
                    "Access-Control-Allow-Methods: GET, DELETE", "Access-Control-Max-Age: 600"});
    }
}

TEST_CASE("an empty list is left out") {
    CorsPolicy policy = two_origins();
    policy.headers.clear();
    policy.expose.clear();
    policy.methods.clear();
    CHECK(answered(policy, preflight_from("https://b.example")) ==
          Lines{kPreflightVary, "Access-Control-Allow-Origin: https://b.example",
                "Access-Control-Max-Age: 600"});
    CHECK(answered(policy, get_from("https://b.example")) ==
          Lines{"Vary: Origin", "Access-Control-Allow-Origin: https://b.example"});
}

TEST_CASE("every answer varies by its origin, allowed or not, where the policy does") {
    CHECK(answered(two_origins(), get_from("https://c.example")) == Lines{"Vary: Origin"});
    CHECK(answered(two_origins(), head_of(Method::get, {})) == Lines{"Vary: Origin"});
}

TEST_CASE("with any origin allowed all answers are alike, so that caches may share them") {
    const Lines expected = {"Access-Control-Allow-Origin: *",
                            "Access-Control-Expose-Headers: RateLimit, X-Request-ID"};
    CHECK(answered(any_origin(), get_from("https://c.example")) == expected);
    CHECK(answered(any_origin(), head_of(Method::get, {})) == expected);
}

TEST_CASE("Vary says Origin once") {
    const RequestHead head = get_from("https://c.example");
    CHECK(answered(two_origins(), head, {{.name = "Vary", .value = "Accept-Encoding"}}) ==
          Lines{"Vary: Accept-Encoding", "Vary: Origin"});
    for (const std::string_view value : {"origin", "Accept-Encoding, Origin", "*"}) {
        CAPTURE(value);
        CHECK(answered(two_origins(), head, {{.name = "vary", .value = value}}).size() == 1);
    }
    CHECK(answered(two_origins(), head, {{.name = "Vary", .value = "Origin-Not"}}).size() == 2);
}

TEST_CASE("what the app says of CORS is dropped, and all else stays in order") {
    std::vector<Field> app = {{.name = "A", .value = "1"},
                              {.name = "access-control-allow-origin", .value = "https://evil.example"},
                              {.name = "Access-Control-Allow-Credentials", .value = "true"},
                              {.name = "ACCESS-CONTROL-MAX-AGE", .value = "1"},
                              {.name = "Access-Control", .value = "is not one of them"},
                              {.name = "X-Access-Control-Max-Age", .value = "neither"}};
    CHECK(answered(two_origins(), get_from("https://evil.example"), app) ==
          Lines{"A: 1", "Access-Control: is not one of them", "X-Access-Control-Max-Age: neither",
                "Vary: Origin"});
}
