#include "app/explain.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "loading.h"

namespace weir::app {

namespace {

using namespace std::chrono_literals;

constexpr const char* kRules = R"(
limits:
  rate: [60/min, {limit: 10/s, burst: 20, key: all}, {limit: 100/hour, cost: 7, key: [ip, route], name: heavy}]
routes:
  - match: {path: /reports}
    methods: [GET]
    limits: {rate: [{limit: 5/day, mode: shadow}]}
    timeout: 120s
  - match: {path: "/documents/{id}"}
    params: {path: {id: {int: 1..}}, query: {size: {int: 1..100, default: 20, on_violation: clamp}}}
  - match: {path: /static/*}
    limits: {rate: none}
)";

Explanation ask(const std::string& yaml, const cli::Question& question) {
    auto explanation = explain_request(config::load_well(yaml).settings, question, Time{1h});
    REQUIRE(explanation.has_value());
    return *explanation;
}

/// What stands behind a label, and behind those below it that have none.
std::vector<std::string> said(const Explanation& explanation, const std::string& label) {
    std::vector<std::string> texts;
    std::string current;
    size_t at = 0;
    for (size_t end = 0; (end = explanation.text.find('\n', at)) != std::string::npos; at = end + 1) {
        const std::string line = explanation.text.substr(at, end - at);
        if (line.front() != ' ') current = line.substr(0, line.find(' '));
        if (current == label) texts.push_back(line.substr(13));
    }
    return texts;
}

std::string result(const std::string& request, const std::vector<std::string>& headers = {}) {
    const Explanation explanation = ask(kRules, {.request = request, .ip = {}, .headers = headers});
    CHECK(explanation.is_refused == (said(explanation, "result").at(0) != "the request reaches the app"));
    return said(explanation, "result").at(0);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an explanation names route, key, and when each rate begins to refuse") {
    const Explanation explanation =
        ask(kRules, {.request = "GET /reports", .ip = "203.0.113.7", .headers = {}});
    CHECK_FALSE(explanation.is_refused);
    CHECK(said(explanation, "request") == Lines{"GET /reports HTTP/1.1"});
    CHECK(said(explanation, "client") == Lines{"ip 203.0.113.7"});
    CHECK(said(explanation, "route") == Lines{"reports (routes[0])"});
    CHECK(
        said(explanation, "rates") ==
        Lines{
            "all that are enforced are charged, or none is",
            "per-min: 60/min, key ip 203.0.113.7: 59 left of 60; the 61st within 1m is refused with 429 "
            "rate_limited, rule per-min",
            "per-sec: 10/s, burst 20, key all: 19 left of 20; the 21st at once is refused with 429 "
            "rate_limited, rule per-sec",
            "heavy: 100/hour, cost 7, key ip 203.0.113.7, route reports: 93 left of 100; the 15th within 1h "
            "is "
            "refused with 429 rate_limited, rule heavy",
            "reports-per-day: 5/day, key ip 203.0.113.7: 4 left of 5; the 6th within 1d passes, and the log "
            "says that it would be refused (shadow)"});
    CHECK(said(explanation, "deadline") == Lines{"2m for all of it"});
    CHECK(said(explanation, "app") == Lines{"127.0.0.1:5000"});
}

TEST_CASE("an explanation ends where the request is refused, in the words of the answer") {
    CHECK(result("DELETE /reports") ==
          "refused with 405 method_not_allowed: the methods allowed here: GET, HEAD; rule reports; Allow: "
          "GET, HEAD");
    CHECK(result("GET /documents/x") ==
          "refused with 400 invalid_parameter: id must be an integer of at least 1; rule documents-id");
    CHECK(result("GET /a%2fb") == "refused with 400 bad_request: the path can be read in more than one way");
    CHECK(result("POST /x", {"Content-Length: 10485761"}) ==
          "refused with 413 body_too_large: the request body is larger than allowed");
    CHECK(result("GET /x", {"Host : a"}).starts_with("refused with 400 bad_request: "));
    CHECK(result("GET /x", {"Host: a", "Host: b"}).starts_with("refused with 400 bad_request: "));
    CHECK(result("GET /x HTTP/3.0").starts_with("refused with 505 version_not_supported: "));
    CHECK(result("GET /x HTTP/1.0") == "the request reaches the app");
    CHECK(result("GET /documents/1?x=1&size=300") == "the request reaches the app");
}

TEST_CASE("an explanation shows a target that is rewritten, and that a route is exempt") {
    CHECK(said(ask(kRules, {.request = "GET /documents/1?x=%2f&size=300", .ip = {}, .headers = {}}),
               "target") == Lines{"rewritten to /documents/1?x=%2f&size=100"});
    const Explanation exempt = ask(kRules, {.request = "GET /static/x", .ip = {}, .headers = {}});
    CHECK(said(exempt, "target") == Lines{"as it came"});
    CHECK(said(exempt, "rates") == Lines{"none: the route is exempt"});
    CHECK(said(ask("", {.request = "GET /", .ip = {}, .headers = {}}), "route") ==
          Lines{"there are none: the global limits hold"});
}

TEST_CASE("an explanation never shows the value of a header or cookie") {
    const std::string yaml =
        "clients: {key: [\"header:X-Key\", \"cookie:sid\"]}\nlimits: {rate: [1/s, {limit: 9/min, key: "
        "\"header:x-b\"}]}\n";
    const cli::Question question{
        .request = "GET /",
        .ip = "2001:db8::7",
        .headers = {"X-Key: s3cret", "Cookie: a=b; sid=s3cret", "X-B: s3cret", "X-B: t"}};
    const Explanation explanation = ask(yaml, question);
    CHECK(explanation.text.find("s3cret") == std::string::npos);
    CHECK(said(explanation, "client") ==
          Lines{"header:x-key (given, not shown), cookie:sid (given, not shown)"});
    CHECK(said(explanation, "rates").at(2).find("key ip 2001:db8::/64 (for want of one header:x-b)") !=
          std::string::npos);
}

TEST_CASE("an explanation shows the caps that are set, the route's own first") {
    const std::string yaml = R"(
limits: {concurrency: 20, queue: {size: 100, wait: 5s}, per_client_concurrency: 4}
routes:
  - {match: {path: /a}, limits: {concurrency: 2, group: heavy}}
  - {match: {path: /b}, limits: {mode: shadow, concurrency: 3}}
)";
    const auto caps = [&](const std::string& request) {
        return said(ask(yaml, {.request = request, .ip = {}, .headers = {}}), "concurrency");
    };
    const std::string all = "all requests: 20 at once, queue 100 for 5s, per client 4";
    CHECK(caps("GET /") == Lines{all});
    CHECK(caps("GET /a") == Lines{"group heavy: 2 at once, queue 100 for 5s, per client ~", all});
    CHECK(caps("GET /b") == Lines{"route b: 3 at once, queue 100 for 5s, per client ~ (shadow)", all});
    CHECK(said(ask("", {.request = "GET /", .ip = {}, .headers = {}}), "concurrency") == Lines{"no cap"});
}

TEST_CASE("an explanation begins with the address, and ends there where nothing is read") {
    config::Settings settings = config::load_well("clients: {trusted_proxies: [10.0.0.9]}\n").settings;
    settings.listen.push_back({.address = {.host = {}, .port = 81, .path = {}}, .proxy_protocol = true});
    settings.listen[0].redirect_https = 443;
    cli::Question question{.request = "GET /x", .ip = "10.0.0.9", .headers = {"Host: app.test"}};
    const auto explained = [&] {
        auto explanation = explain_request(settings, question, Time{1h});
        REQUIRE(explanation.has_value());
        return *explanation;
    };
    const Explanation sent_on = explained();
    CHECK(said(sent_on, "address") == Lines{"0.0.0.0:8080, in plain HTTP"});
    CHECK(said(sent_on, "result") ==
          Lines{"weir answers by itself with 308: the client is sent to https://app.test/x"});
    CHECK_FALSE(sent_on.is_refused);
    question.headers.emplace_back("X-Forwarded-Proto: https");
    CHECK(said(explained(), "result") == Lines{"the request reaches the app"});
    question.address = ":81";
    question.balancer = "10.0.0.8";
    const Explanation closed = explained();
    CHECK(closed.is_refused);
    CHECK(said(closed, "result").at(0).starts_with("closed before a request is read: PROXY header "));
    CHECK(said(closed, "client").empty());
}

TEST_CASE("a question that is none has an error") {
    const config::Settings settings = config::load_well("").settings;
    const auto is_refused = [&](const cli::Question& question) {
        return !explain_request(settings, question, Time{1h}).has_value();
    };
    CHECK(is_refused({.request = "GET /", .ip = "nobody", .headers = {}}));
    CHECK(is_refused({.request = "GET /\r\nA: b", .ip = {}, .headers = {}}));
    CHECK(is_refused({.request = "GET /", .ip = {}, .headers = {"A: b\nC: d"}}));
    CHECK(is_refused({.request = "GET /", .ip = {}, .headers = {""}}));
}

}  // namespace weir::app
