#include "app/metrics_page.h"

#include <doctest/doctest.h>

#include <set>

#include "app/watched_parts.h"

using namespace std::chrono_literals;

namespace weir::app {

TEST_CASE("what the workers have counted apart is added up") {
    WatchedParts parts;
    const proxy::Scope& everywhere = parts.rules.scopes()[0];
    proxy::AccessRecord answered;
    answered.status = 200;
    answered.request_bytes = 1;
    answered.response_bytes = 10;
    answered.total = 3ms;
    answered.slot_wait = 0ms;
    answered.upstream = 2ms;
    parts.workers[0]->note(everywhere, answered);
    parts.workers[1]->note(everywhere, answered);
    parts.workers[1]->note(parts.rules.scopes()[1], answered);
    proxy::AccessRecord refused;
    refused.status = 429;
    refused.rule = "per-min";
    refused.refusal = http::Reason::rate_limited;
    parts.workers[1]->note(everywhere, refused);
    parts.workers[0]->server(1).retries[static_cast<size_t>(http::Reason::upstream_reset)].add();
    parts.workers[0]->note_race(true);
    parts.workers[0]->server(0).idle.set(3);
    parts.workers[1]->server(0).idle.set(4);

    auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series["weir_requests_total{route='(none)',code='200'}"] == 2);
    CHECK(series["weir_requests_total{route='(none)',code='429'}"] == 1);
    CHECK(series["weir_requests_total{route='reports',code='200'}"] == 1);
    CHECK(series["weir_request_duration_seconds_count{route='(none)'}"] == 3);
    CHECK(series["weir_upstream_duration_seconds_bucket{route='(none)',le='0.001'}"] == 0);
    CHECK(series["weir_upstream_duration_seconds_bucket{route='(none)',le='0.0025'}"] == 2);
    CHECK(series["weir_upstream_duration_seconds_bucket{route='(none)',le='+Inf'}"] == 2);
    CHECK(series["weir_queue_wait_seconds_count{route='reports'}"] == 1);
    CHECK(series["weir_refused_total{route='(none)',rule='per-min',reason='rate_limited',mode='enforce'}"] ==
          1);
    CHECK(series["weir_upstream_retries_total{server='127.0.0.1:5001',cause='upstream_reset'}"] == 1);
    CHECK(series["weir_keepalive_races_total{outcome='repeated'}"] == 1);
    CHECK(series["weir_pool_connections{server='127.0.0.1:5000',state='idle'}"] == 7);
    CHECK(series["weir_bytes_total{direction='in'}"] == 3);
    CHECK(series["weir_bytes_total{direction='out'}"] == 30);
}

TEST_CASE("what came of handshakes and PROXY headers is told where there may be some") {
    WatchedParts parts;
    auto before = series_in(MetricsPage(parts.overview).text());
    CHECK_FALSE(before.contains("weir_tls_handshakes_total{kind='full'}"));
    CHECK_FALSE(before.contains("weir_proxy_headers_refused_total{cause='malformed'}"));
    parts.settings.listen = {{.address = {}, .proxy_protocol = true, .redirect_https = {}, .tls = {{}}}};
    parts.settle();
    parts.workers[0]->arrivals().full_handshakes.add();
    parts.workers[1]->arrivals().full_handshakes.add();
    parts.workers[1]->arrivals().resumed_handshakes.add();
    parts.workers[1]
        ->arrivals()
        .failed_handshakes[static_cast<size_t>(proxy::HandshakeFailure::timeout)]
        .add();
    parts.workers[0]
        ->arrivals()
        .refused_headers[static_cast<size_t>(proxy::ProxyHeaderFailure::untrusted)]
        .add();
    auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series["weir_tls_handshakes_total{kind='full'}"] == 2);
    CHECK(series["weir_tls_handshakes_total{kind='resumed'}"] == 1);
    CHECK(series["weir_tls_handshake_failures_total{cause='timeout'}"] == 1);
    CHECK(series.contains("weir_tls_handshake_failures_total{cause='plain_http'}"));
    CHECK(series["weir_proxy_headers_refused_total{cause='untrusted'}"] == 1);
    CHECK(series.contains("weir_proxy_headers_refused_total{cause='malformed'}"));
}

TEST_CASE("rules, caps and servers have their series before anything has happened") {
    WatchedParts parts;
    const auto series = series_in(MetricsPage(parts.overview).text());
    const auto refused = [](const std::string& labels) { return "weir_refused_total{" + labels + "}"; };
    const std::vector<std::string> wanted{
        refused("route='(none)',rule='per-min',reason='rate_limited',mode='enforce'"),
        refused("route='(none)',rule='tight',reason='rate_limited',mode='shadow'"),
        refused("route='reports',rule='reports-rate',reason='rate_limited',mode='enforce'"),
        refused("route='reports',rule='reports-concurrency',reason='queue_full',mode='enforce'"),
        "weir_in_flight{queue='concurrency'}",
        "weir_queue_depth{queue='reports-concurrency'}",
        "weir_queue_peak{queue='concurrency'}",
        "weir_limiter_keys{route='(all)',rule='per-min'}",
        "weir_limiter_keys{route='(all)',rule='tighter'}",
        "weir_limiter_evictions_total{route='reports',rule='reports-rate'}",
        "weir_upstream_up{server='127.0.0.1:5001'}",
        "weir_client_connections",
        "weir_buffered_bytes",
        "weir_config_reload_success",
        "weir_config_reload_timestamp_seconds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_start_time_seconds"};
    for (const std::string& each : wanted) {
        CAPTURE(each);
        CHECK(series.contains(each));
    }
}

TEST_CASE("a server that is down is not up") {
    WatchedParts parts;
    parts.fleet.set_health(0, proxy::Fleet::Health::down, monotonic_now());
    auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series["weir_upstream_up{server='127.0.0.1:5000'}"] == 0);
    CHECK(series["weir_upstream_up{server='127.0.0.1:5001'}"] == 1);
}

TEST_CASE("checks are counted by server and by how they ended, where there are any") {
    config::Settings settings = proxy::limited_settings();
    CHECK_FALSE(MetricsPage(WatchedParts(settings).overview).text().find("weir_health_checks_total{") !=
                std::string::npos);
    settings.health.path = "/health";
    WatchedParts parts(settings);
    parts.fleet.count_check(1, policy::CheckResult::timed_out);
    parts.fleet.count_check(1, policy::CheckResult::timed_out);
    auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series["weir_health_checks_total{server='127.0.0.1:5001',result='timed_out'}"] == 2);
    for (size_t each = 0; each < policy::kCheckResults; ++each) {
        const std::string name(policy::name_of(static_cast<policy::CheckResult>(each)));
        CHECK(series.contains("weir_health_checks_total{server='127.0.0.1:5000',result='" + name + "'}"));
    }
}

TEST_CASE("a cap tells its bounds, where it has them") {
    config::Settings settings = proxy::limited_settings();
    settings.limits.concurrency = 7;
    settings.limits.queue.size.value = 11;
    WatchedParts parts(settings);
    auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series["weir_in_flight_limit{queue='concurrency'}"] == 7);
    CHECK(series["weir_queue_limit{queue='concurrency'}"] == 11);
    settings.limits.concurrency.reset();
    settings.limits.per_client_concurrency = 2;
    WatchedParts unbounded(settings);
    series = series_in(MetricsPage(unbounded.overview).text());
    CHECK(series.contains("weir_in_flight{queue='concurrency'}"));
    CHECK_FALSE(series.contains("weir_in_flight_limit{queue='concurrency'}"));
}

TEST_CASE("names that are there twice are told apart, so that no series is") {
    CHECK(told_apart({"a", "b", "a", "a", "a#2"}) ==
          std::vector<std::string>{"a", "b", "a#2", "a#3", "a#2#2"});
    config::Settings settings = proxy::limited_settings();
    settings.upstream.servers[1] = settings.upstream.servers[0];
    settings.routes.push_back(settings.routes[0]);
    settings.routes[1].name = "group";
    settings.routes[0].limits.group = "group";
    WatchedParts parts(settings);
    const auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series.contains("weir_upstream_up{server='127.0.0.1:5000#2'}"));
    CHECK(series.contains("weir_queue_depth{queue='group-concurrency#2'}"));
}

TEST_CASE("servers and caps are those of the plan that holds, be they more or fewer than before") {
    config::Settings more = proxy::limited_settings();
    config::Settings fewer = more;
    fewer.upstream.servers.pop_back();
    fewer.upstream.servers[0].address.port = 6000;
    fewer.limits.concurrency.reset();
    WatchedParts parts(more);
    const MetricsPage page(parts.overview);
    const auto go_over_to = [&](const config::Settings& settings) {
        parts.settings = WatchedParts::with_admin(settings);
        parts.settle();
        for (auto& worker : parts.overview.workers)
            worker =
                std::make_shared<proxy::Metrics>(parts.overview.plan->rules, parts.overview.fleet().size());
        return series_in(page.text());
    };
    const auto few = go_over_to(fewer);
    CHECK(few.contains("weir_upstream_up{server='127.0.0.1:6000'}"));
    CHECK_FALSE(few.contains("weir_upstream_up{server='127.0.0.1:5001'}"));
    CHECK_FALSE(few.contains("weir_queue_depth{queue='concurrency'}"));
    CHECK(few.contains("weir_queue_depth{queue='reports-concurrency'}"));
    const auto many = go_over_to(more);
    CHECK(many.contains("weir_pool_connections{server='127.0.0.1:5001',state='idle'}"));
    CHECK(many.contains("weir_queue_depth{queue='concurrency'}"));
}

TEST_CASE("a reload is no start of the process") {
    WatchedParts parts;
    parts.overview.loaded_at += std::chrono::seconds(7);
    auto series = series_in(MetricsPage(parts.overview).text());
    CHECK(series["process_start_time_seconds"] == 1'600'000'000);
    CHECK(series["weir_config_reload_timestamp_seconds"] == 1'700'000'007);
}

TEST_CASE("every metric explains itself") {
    WatchedParts parts;
    std::set<std::string> names;
    for (const prometheus::MetricFamily& family : MetricsPage(parts.overview).Collect()) {
        CAPTURE(family.name);
        CHECK(names.insert(family.name).second);
        CHECK(family.help.ends_with('.'));
        CHECK((family.name.starts_with("weir_") || family.name.starts_with("process_")));
        CHECK(family.name.ends_with("_total") == (family.type == prometheus::MetricType::Counter));
    }
}

}  // namespace weir::app
