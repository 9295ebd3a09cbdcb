#include "app/admin_pages.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "app/watched_parts.h"
#include "http/head_parser.h"

namespace weir::app {

namespace {

constexpr Time kNow = Time(std::chrono::seconds(160));

/// What is answered to a request line and fields, each with its CRLF.
AdminAnswer ask(const WatchedParts& parts, const std::string& line,
                const std::string& fields = "Host: 127.0.0.1:9180\r\n") {
    const std::string bytes = line + " HTTP/1.1\r\n" + fields + "\r\n";
    http::RequestHead head;
    REQUIRE_FALSE(
        http::parse_request_head(bytes, {.head_bytes = 8192, .fields = 100, .uri_bytes = 8192}, head));
    return *AdminPages(parts.overview).answer(head, kNow);
}

nlohmann::json json_of(const AdminAnswer& answer) { return nlohmann::json::parse(answer.body); }

}  // namespace

TEST_CASE("pages are made in rounds; what probes ask for, actions and refusals are answered at once") {
    WatchedParts parts;
    const auto is_for_round = [&](const std::string& line, const char* host = "127.0.0.1") {
        const std::string bytes = line + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
        http::RequestHead head;
        REQUIRE_FALSE(
            http::parse_request_head(bytes, {.head_bytes = 8192, .fields = 100, .uri_bytes = 8192}, head));
        return AdminPages(parts.overview).is_for_round(head);
    };
    for (const char* page :
         {"/", "/metrics", "/stats", "/summary", "/clients", "/limits", "/config", "/why/id"})
        CHECK_MESSAGE(is_for_round(std::string("GET ") + page), page);
    for (const char* line : {"GET /livez", "GET /readyz", "HEAD /health", "POST /drain", "POST /reload",
                             "GET /nothing", "POST /metrics"})
        CHECK_FALSE_MESSAGE(is_for_round(line), line);
    CHECK_FALSE(is_for_round("GET /metrics", "evil.example"));
}

TEST_CASE("a page is made once for all who ask between two rounds, each with its own right to it") {
    WatchedParts parts(WatchedParts::with_admin(proxy::limited_settings()));
    parts.settings.admin.token = "secret";
    parts.settle();
    AdminPages pages(parts.overview);
    const auto asked = [&](const std::string& line, const std::string& token) {
        const std::string bytes =
            line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n";
        http::RequestHead head;
        REQUIRE_FALSE(
            http::parse_request_head(bytes, {.head_bytes = 8192, .fields = 100, .uri_bytes = 8192}, head));
        return pages.answer(head, kNow);
    };
    const auto first = asked("GET /config", "secret");
    CHECK(asked("HEAD /config", "secret") == first);
    CHECK(asked("GET /config", "wrong")->status == 401);
    CHECK(asked("GET /limits", "secret") != first);
    CHECK(asked("GET /why/a", "secret") != asked("GET /why/a", "secret"));
    parts.overview.effective_config = "workers: 3\n";
    CHECK(asked("GET /config", "secret")->body == "workers: 2\n");
    pages.forget();
    CHECK(asked("GET /config", "secret")->body == "workers: 3\n");
}

TEST_CASE("each page has its content and its type") {
    WatchedParts parts;
    CHECK(ask(parts, "GET /livez").body == "ok\n");
    CHECK(ask(parts, "GET /readyz").status == 200);
    CHECK(ask(parts, "GET /metrics").type == kMetricsType);
    CHECK(ask(parts, "GET /metrics?name=weir").body.starts_with("# HELP weir_"));
    CHECK(ask(parts, "GET /config").body == "workers: 2\n");
    CHECK(ask(parts, "HEAD /config").status == 200);
    const auto health = json_of(ask(parts, "GET /health"));
    CHECK(health["status"] == "ok");
    CHECK(health["upstream"] == "unknown");
    CHECK(health["uptime"] == 60);
    CHECK(health.contains("version"));
}

TEST_CASE("a path that is none is 404, and a method that is none of the page's is 405 with the others") {
    WatchedParts parts;
    for (const char* path : {"//", "/metrics/", "/Metrics", "/why", "/drain/now", "/index.html"}) {
        CAPTURE(path);
        CHECK(ask(parts, std::string("GET ") + path).status == 404);
    }
    CHECK(ask(parts, "POST /metrics").status == 405);
    CHECK(ask(parts, "DELETE /metrics").allow == "GET, HEAD");
    CHECK(ask(parts, "GET /drain").status == 405);
    CHECK(ask(parts, "GET /drain").allow == "POST");
    CHECK(parts.drains == 0);
}

TEST_CASE("the operator's page is one file that may run its own script and ask this address alone") {
    WatchedParts parts;
    const AdminAnswer page = ask(parts, "GET /");
    CHECK(page.type == "text/html; charset=utf-8");
    CHECK(page.body.starts_with("<!DOCTYPE html>"));
    CHECK(page.body.ends_with("</html>\n"));
    for (const char* part :
         {"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'",
          "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}) {
        CAPTURE(part);
        CHECK(page.policy.find(part) != std::string_view::npos);
    }
    CHECK(page.policy.find("unsafe") == std::string_view::npos);
    CHECK(page.policy.find("http") == std::string_view::npos);
    for (const char* way_to_run_data :
         {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("})
        CHECK(page.body.find(way_to_run_data) == std::string::npos);
    CHECK(ask(parts, "GET /stats").policy.empty());
}

TEST_CASE("a request is asked after by its id, however that is escaped") {
    WatchedParts parts;
    proxy::AccessRecord record;
    record.request_id = "a/b=c+d~:@.-_";
    record.refusal = http::Reason::queue_full;
    record.status = 503;
    parts.notable_requests[1].note(record);
    for (const char* path :
         {"/why/a/b=c+d~:@.-_", "/why/a%2Fb%3Dc%2Bd~%3A%40.-_", "/why/a%2fb=c+d~:@.-_?x=1"}) {
        CAPTURE(path);
        const AdminAnswer answer = ask(parts, std::string("GET ") + path);
        CHECK(answer.status == 200);
        CHECK(json_of(answer)["request_id"] == record.request_id);
    }
    for (const char* path :
         {"/why/", "/why/other", "/why/a/b=c%20d~:@.-_", "/why/%", "/why/%zz", "/why/%00"}) {
        CAPTURE(path);
        const AdminAnswer answer = ask(parts, std::string("GET ") + path);
        CHECK(answer.status == 404);
        CHECK(answer.type == "application/problem+json");
        CHECK(std::string(json_of(answer)["detail"]).find("no request with this id") == 0);
    }
    CHECK(ask(parts, "POST /why/a/b=c+d~:@.-_").status == 405);
}

TEST_CASE("while weir drains, and while no server is up, it is not ready but alive") {
    config::Settings settings = proxy::limited_settings();
    settings.health.path = "/healthz";
    WatchedParts parts(settings);
    CHECK(ask(parts, "GET /readyz").status == 503);
    CHECK(json_of(ask(parts, "GET /health"))["status"] == "unavailable");
    CHECK(json_of(ask(parts, "GET /health"))["upstream"] == "down");
    parts.fleet.set_health(1, proxy::Fleet::Health::up, kNow);
    CHECK(ask(parts, "GET /readyz").status == 200);
    CHECK(json_of(ask(parts, "GET /health"))["upstream"] == "up");
    parts.is_draining = true;
    CHECK(ask(parts, "GET /readyz").status == 503);
    CHECK(ask(parts, "GET /health").status == 503);
    CHECK(json_of(ask(parts, "GET /health"))["status"] == "draining");
    CHECK(ask(parts, "GET /livez").status == 200);
}

TEST_CASE("the stats tell of each cap apart, with quantiles of the routes that it holds for") {
    WatchedParts parts;
    const auto before = json_of(ask(parts, "GET /stats"));
    REQUIRE(before.size() == 2);
    CHECK(before["concurrency"]["waitSeconds"].is_null());
    CHECK(before["concurrency"]["activeProcesses"] == 0);
    using std::chrono::milliseconds;
    proxy::AccessRecord record;
    record.status = 200;
    record.slot_wait = milliseconds(7);
    record.upstream = milliseconds(20);
    parts.workers[0]->note(parts.rules.scopes()[0], record);
    parts.workers[1]->note(parts.rules.scopes()[1], record);

    policy::Place place([](void*) noexcept {}, nullptr);
    auto& group = *parts.rules.caps()[0]->group;
    auto verdict = group.acquire(place, {.client = 1}, kNow);
    const auto after = json_of(ask(parts, "GET /stats"));
    CHECK(after["concurrency"]["activeProcesses"] == 1);
    CHECK(after["concurrency"]["utilizationPercent"] == 25);
    for (const char* member : {"queuedTasks", "totalProcessed", "peakQueueSize"})
        CHECK(after["concurrency"][member] == 0);
    for (const char* cap : {"concurrency", "reports-concurrency"}) {
        CAPTURE(cap);
        CHECK(after[cap]["waitSeconds"]["p50"] == doctest::Approx(0.0075));
        CHECK(after[cap]["serviceSeconds"]["p99"] == doctest::Approx(0.02485));
    }
}

TEST_CASE("POST /drain drains, and says so at once") {
    WatchedParts parts;
    const AdminAnswer answer = ask(parts, "POST /drain");
    CHECK(answer.status == 202);
    CHECK(parts.drains == 1);
}

TEST_CASE("where there is a token, nothing is told without it") {
    WatchedParts parts;
    parts.settings.admin.token = "a-very-long-secret";
    parts.settle();
    const std::string host = "Host: weir.example\r\n";
    for (const char* path : {"GET /metrics", "GET /livez", "GET /nowhere", "POST /drain", "PUT /config",
                             "GET /why/id", "GET /clients", "GET /summary", "GET /limits"}) {
        CAPTURE(path);
        CHECK(ask(parts, path, host).status == 401);
        CHECK(ask(parts, path, host).wants_token);
        CHECK(ask(parts, path, host + "Authorization: Bearer wrong\r\n").status == 401);
    }
    CHECK(parts.drains == 0);
    const std::string shown = host + "Authorization: Bearer a-very-long-secret\r\n";
    CHECK(ask(parts, "GET /metrics", shown).status == 200);
    CHECK(ask(parts, "POST /drain", shown).status == 202);
}

TEST_CASE("the page on which the token is typed in is shown without it") {
    WatchedParts parts;
    const std::string body = ask(parts, "GET /").body;
    parts.settings.admin.token = "a-very-long-secret";
    parts.settle();
    CHECK(ask(parts, "GET /", "Host: weir.example\r\n").body == body);
    CHECK(ask(parts, "HEAD /", "Host: weir.example\r\n").status == 200);
    CHECK(ask(parts, "POST /", "Host: weir.example\r\n").status == 405);
}

TEST_CASE("a token is shown as a whole, or it is not") {
    CHECK(shows_token("Bearer abc", "abc"));
    CHECK(shows_token("bearer  abc", "abc"));
    for (const char* wrong : {"", "abc", "Bearer", "Bearer ", "Bearer ab", "Bearer abcd", "Bearer abd",
                              "Bearer abcabc", "Basic abc", "Bearer abc "}) {
        CAPTURE(wrong);
        CHECK_FALSE(shows_token(wrong, "abc"));
    }
    CHECK_FALSE(shows_token("Bearer ", ""));
    CHECK_FALSE(shows_token("Bearer x", ""));
}

TEST_CASE("without a token, a page in somebody's browser can neither read nor drain") {
    WatchedParts parts;
    for (const char* host : {"127.0.0.1", "127.0.0.1:9180", "[::1]:9180", "localhost:9180", "LOCALHOST"}) {
        CAPTURE(host);
        CHECK(ask(parts, "GET /livez", std::string("Host: ") + host + "\r\n").status == 200);
    }
    for (const char* host : {"evil.example", "evil.example:9180", "127.0.0.1.evil.example"}) {
        CAPTURE(host);
        for (const char* path : {"GET /livez", "GET /", "GET /why/id", "GET /clients"})
            CHECK(ask(parts, path, std::string("Host: ") + host + "\r\n").status == 421);
    }
    const std::string own = "Host: 127.0.0.1:9180\r\n";
    for (const char* origin : {"https://evil.example", "null", "http://127.0.0.1:8080"}) {
        CAPTURE(origin);
        CHECK(ask(parts, "POST /drain", own + "Origin: " + origin + "\r\n").status == 403);
    }
    CHECK(parts.drains == 0);
    CHECK(ask(parts, "POST /drain", own + "Origin: http://127.0.0.1:9180\r\n").status == 202);
    parts.settings.admin.address = Endpoint{.host = {}, .port = 0, .path = "/run/weir-admin.sock"};
    parts.settle();
    CHECK(ask(parts, "GET /livez", "Host: weir\r\n").status == 200);
}

}  // namespace weir::app
