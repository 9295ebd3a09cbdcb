#include "app/metrics_page.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <sstream>

#include "app/process_figures.h"
#include "app/version.h"

namespace weir::app {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using proxy::Metrics;
using proxy::Scope;
using proxy::ScopeFigures;
using proxy::Total;

using Labels = std::vector<ClientMetric::Label>;
using Families = std::vector<MetricFamily>;

MetricFamily& add_family(Families& families, const char* name, MetricType type, const char* help) {
    return families.emplace_back(MetricFamily{name, help, type, {}});
}

void add_counter(MetricFamily& family, Labels labels, double value) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    metric.counter.value = value;
}

void add_counter(MetricFamily& family, Labels labels, uint64_t value) {
    add_counter(family, std::move(labels), static_cast<double>(value));
}

void add_gauge(MetricFamily& family, Labels labels, double value) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    metric.gauge.value = value;
}

void add_gauge(MetricFamily& family, Labels labels, uint64_t value) {
    add_gauge(family, std::move(labels), static_cast<double>(value));
}

void add_histogram(MetricFamily& family, Labels labels, const proxy::HistogramFigures& figures) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    metric.histogram.sample_count = figures.count();
    metric.histogram.sample_sum = figures.sum_seconds();
    uint64_t up_to_here = 0;
    for (size_t bucket = 0; bucket < proxy::Buckets::kCount; ++bucket) {
        const bool has_bound = bucket < proxy::Buckets::kBounds.size();
        up_to_here += figures.counts[bucket];
        metric.histogram.bucket.push_back({up_to_here, has_bound ? proxy::Buckets::kBounds[bucket]
                                                                 : std::numeric_limits<double>::infinity()});
    }
}

std::string route_of(const Scope& scope) {
    return scope.route == nullptr ? std::string(kNoRoute) : scope.route->name;
}

double seconds_since_epoch(WallTime time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// `read` is what of one worker is to be added up.
template <class Read>
uint64_t sum_of(const Overview& overview, Read read) {
    uint64_t sum = 0;
    for (const auto& worker : overview.workers) sum += read(*worker);
    return sum;
}

uint64_t sum_of(const Overview& overview, Total which) {
    return sum_of(overview, [which](const Metrics& m) { return m.total(which); });
}

// ---- requests

void add_requests(const Overview& overview, Families& families) {
    MetricFamily& total = add_family(families, "weir_requests_total", MetricType::Counter,
                                     "Requests that have ended, by route and by the status code that the "
                                     "client was answered with; 499 is a client that left before.");
    for (const Scope& scope : overview.rules().scopes()) {
        for (uint16_t code = proxy::CodeCounts::kLeast; code <= proxy::CodeCounts::kMost; ++code) {
            const uint64_t count =
                sum_of(overview, [&](const Metrics& m) { return m.scope(scope.number).codes.read(code); });
            if (count > 0)
                add_counter(total, {{"route", route_of(scope)}, {"code", std::to_string(code)}}, count);
        }
    }
    const uint64_t ended = sum_of(overview, Total::ended);
    const uint64_t begun = sum_of(overview, Total::begun);
    MetricFamily& now = add_family(families, "weir_requests_in_progress", MetricType::Gauge,
                                   "Requests under way: from the end of their head to the last byte that "
                                   "the client takes.");
    add_gauge(now, {}, begun > ended ? begun - ended : uint64_t{0});
}

void add_durations(const Overview& overview, Families& families) {
    const auto add = [&](const char* name, const char* help, proxy::Histogram ScopeFigures::*member,
                         bool for_caps_alone) {
        MetricFamily& family = add_family(families, name, MetricType::Histogram, help);
        for (const Scope& scope : overview.rules().scopes()) {
            if (for_caps_alone && scope.caps.empty()) continue;
            add_histogram(family, {{"route", route_of(scope)}}, added_up(overview, scope.number, member));
        }
    };
    add("weir_request_duration_seconds",
        "From the end of a request's head until the client has been handed the whole answer.",
        &ScopeFigures::duration, false);
    add("weir_upstream_duration_seconds",
        "From asking the app, the connect included, to the end of its answer; of the last try where there "
        "were several.",
        &ScopeFigures::upstream, false);
    add("weir_queue_wait_seconds",
        "How long requests waited for a slot of the app; 0 for those that found one free.",
        &ScopeFigures::queue_wait, true);
}

Labels refusal_labels(const Scope& scope, std::string_view rule, http::Reason reason, const char* mode) {
    return {{"route", route_of(scope)},
            {"rule", std::string(rule)},
            {"reason", std::string(http::text_of(reason).slug)},
            {"mode", mode}};
}

bool is_of_caps(http::Reason reason) {
    return reason == http::Reason::queue_full || reason == http::Reason::queue_timeout ||
           reason == http::Reason::predicted_wait;
}

/// What a rule may say is there from the start, at zero, so that its first refusal shows as an increase.
/// `read` is one worker's count for a reason.
template <class IsExpected, class Read>
void add_refusals(const Overview& overview, MetricFamily& family, const Scope& scope, std::string_view rule,
                  IsExpected is_expected, Read read) {
    for (size_t index = 0; index < http::kReasons; ++index) {
        const auto reason = static_cast<http::Reason>(index);
        const uint64_t count =
            sum_of(overview, [&](const Metrics& m) { return read(m.scope(scope.number))[index].read(); });
        if (count > 0 || is_expected(reason))
            add_counter(family, refusal_labels(scope, rule, reason, "enforce"), count);
    }
}

void add_shadow_refusals(const Overview& overview, MetricFamily& family, const Scope& scope) {
    const size_t rates = scope.shadowed.size();
    for (size_t index = 0; index < rates + scope.shadow_caps.size(); ++index) {
        const bool is_rate = index < rates;
        const std::string& rule =
            is_rate ? scope.shadowed[index]->name : scope.shadow_caps[index - rates].gate->name;
        const http::Reason reason = is_rate ? http::Reason::rate_limited : http::Reason::queue_full;
        const uint64_t count = sum_of(
            overview, [&](const Metrics& m) { return m.scope(scope.number).shadow_refusals[index].read(); });
        add_counter(family, refusal_labels(scope, rule, reason, "shadow"), count);
    }
}

void add_all_refusals(const Overview& overview, Families& families) {
    MetricFamily& family = add_family(
        families, "weir_refused_total", MetricType::Counter,
        "Requests that weir answered by itself, by the reason in that answer and the rate or cap that "
        "decided, if one did. mode=\"shadow\": rules that are only watched would have refused them.");
    for (const Scope& scope : overview.rules().scopes()) {
        add_refusals(
            overview, family, scope, "", [](http::Reason) { return false; },
            [](const ScopeFigures& f) -> const auto& { return f.refused; });
        for (size_t index = 0; index < scope.enforced.size(); ++index)
            add_refusals(
                overview, family, scope, scope.enforced[index]->name,
                [](http::Reason reason) { return reason == http::Reason::rate_limited; },
                [&](const ScopeFigures& f) -> const auto& { return f.refused_by_rate[index]; });
        for (size_t index = 0; index < scope.caps.size(); ++index)
            add_refusals(
                overview, family, scope, scope.caps[index].gate->name,
                is_of_caps, [&](const ScopeFigures& f) -> const auto& { return f.refused_by_cap[index]; });
        add_shadow_refusals(overview, family, scope);
    }
}

// ---- rules

void add_caps(const Overview& overview, const std::vector<std::string>& names, Families& families) {
    const auto family = [](const char* name, const char* help) {
        return MetricFamily{name, help, MetricType::Gauge, {}};
    };
    MetricFamily in_flight = family("weir_in_flight",
                                    "Requests inside the app now, by the cap (limits.concurrency, of all "
                                    "requests or of a route) that they count against.");
    MetricFamily limit = family("weir_in_flight_limit", "The most requests that the cap lets into the app.");
    MetricFamily depth = family("weir_queue_depth", "Requests that wait for a slot of the cap now.");
    MetricFamily room = family("weir_queue_limit", "The most that may wait for it (limits.queue.size).");
    MetricFamily peak = family("weir_queue_peak", "The most that have waited at once since the start.");
    for (size_t index = 0; index < names.size(); ++index) {
        const proxy::ConcurrencyGate& cap = *overview.rules().caps()[index];
        const policy::ConcurrencyFigures figures = cap.group->figures();
        const bool is_shadow = cap.mode == config::Mode::shadow;
        const bool has_limit = figures.slots != policy::ConcurrencyLimits::kUnbounded;
        const Labels labels{{"queue", names[index]}};
        add_gauge(in_flight, labels, uint64_t{is_shadow ? cap.shadow->inside() : figures.in_service});
        if (has_limit) add_gauge(limit, labels, uint64_t{figures.slots});
        add_gauge(depth, labels, uint64_t{figures.waiting});
        add_gauge(room, labels, uint64_t{figures.queue_room});
        add_gauge(peak, labels, uint64_t{figures.peak_waiting});
    }
    for (MetricFamily* each : {&in_flight, &limit, &depth, &room, &peak})
        families.push_back(std::move(*each));
}

void add_limiters(const Overview& overview, Families& families) {
    MetricFamily keys{"weir_limiter_keys", "Clients that a rate limit remembers now.", MetricType::Gauge, {}};
    MetricFamily evictions{
        "weir_limiter_evictions_total",
        "Clients that a rate limit forgot before their time, since more came than limits.keys.",
        MetricType::Counter,
        {}};
    const auto add = [&](proxy::RateGate& gate, std::string_view route) {
        const policy::CellTableFigures figures = gate.rule->figures();
        const Labels labels{{"route", std::string(route)}, {"rule", gate.name}};
        add_gauge(keys, labels, uint64_t{figures.size});
        add_counter(evictions, labels, figures.evictions);
    };
    const Scope& everywhere = overview.rules().scopes().front();
    const auto add_own = [&](const Scope& scope, const std::vector<proxy::RateGate*>& gates,
                             const std::vector<proxy::RateGate*>& shared) {
        for (proxy::RateGate* gate : gates) {
            const bool is_shared = std::find(shared.begin(), shared.end(), gate) != shared.end();
            if (!is_shared) add(*gate, scope.route->name);
        }
    };
    for (proxy::RateGate* gate : everywhere.enforced) add(*gate, kAllRoutes);
    for (proxy::RateGate* gate : everywhere.shadowed) add(*gate, kAllRoutes);
    for (const Scope& scope : overview.rules().scopes()) {
        if (scope.route == nullptr) continue;
        add_own(scope, scope.enforced, everywhere.enforced);
        add_own(scope, scope.shadowed, everywhere.shadowed);
    }
    families.push_back(std::move(keys));
    families.push_back(std::move(evictions));
}

// ---- the app

void add_pools(const Overview& overview, const std::vector<std::string>& servers, Families& families) {
    MetricFamily& connections =
        add_family(families, "weir_pool_connections", MetricType::Gauge,
                   "Connections from weir to the app: idle (kept for reuse), or in_use (with "
                   "a request, or being opened).");
    for (size_t index = 0; index < servers.size(); ++index) {
        const auto add = [&](const char* state, auto read) {
            add_gauge(connections, {{"server", servers[index]}, {"state", state}},
                      sum_of(overview, [&](const Metrics& m) { return read(m.server(index)); }));
        };
        add("idle", [](const proxy::ServerFigures& f) { return f.idle.read(); });
        add("in_use", [](const proxy::ServerFigures& f) { return f.in_use.read(); });
    }
    uint64_t reused = 0;
    for (size_t index = 0; index < servers.size(); ++index)
        reused += sum_of(overview, [&](const Metrics& m) { return m.server(index).reused.read(); });
    add_counter(add_family(families, "weir_pool_reuse_total", MetricType::Counter,
                           "Tries that went out on a connection that had carried a request before."),
                {}, reused);
}

void add_retries(const Overview& overview, const std::vector<std::string>& servers, Families& families) {
    MetricFamily& retries = add_family(families, "weir_upstream_retries_total", MetricType::Counter,
                                       "Requests that were sent again, by the server that had failed them "
                                       "and why.");
    for (size_t index = 0; index < servers.size(); ++index) {
        for (size_t reason = 0; reason < http::kReasons; ++reason) {
            const uint64_t count =
                sum_of(overview, [&](const Metrics& m) { return m.server(index).retries[reason].read(); });
            const std::string_view cause = http::text_of(static_cast<http::Reason>(reason)).slug;
            if (count > 0)
                add_counter(retries, {{"server", servers[index]}, {"cause", std::string(cause)}}, count);
        }
    }
    MetricFamily& races = add_family(families, "weir_keepalive_races_total", MetricType::Counter,
                                     "Requests that met a reused connection as the app closed it: repeated, "
                                     "or failed where that was not safe.");
    add_counter(races, {{"outcome", "repeated"}}, sum_of(overview, Total::races_repeated));
    add_counter(races, {{"outcome", "failed"}}, sum_of(overview, Total::races_failed));
}

void add_servers(const Overview& overview, const std::vector<std::string>& servers, Families& families) {
    MetricFamily& up = add_family(families, "weir_upstream_up", MetricType::Gauge,
                                  "1 where requests may go to the server, 0 where its checks or its answers "
                                  "have taken it out.");
    const Time now = monotonic_now();
    for (size_t index = 0; index < servers.size(); ++index) {
        const bool is_up = overview.fleet().candidate(index, now).standing == policy::Candidate::Standing::in;
        add_gauge(up, {{"server", servers[index]}}, is_up ? 1.0 : 0.0);
    }
}

/// By every result from the start, so that the first failure shows as an increase.
void add_checks(const Overview& overview, const std::vector<std::string>& servers, Families& families) {
    MetricFamily& checks =
        add_family(families, "weir_health_checks_total", MetricType::Counter,
                   "Health checks of the app that have ended, by server and by how: passed, "
                   "or why not.");
    if (overview.settings().health.path.empty()) return;
    for (size_t index = 0; index < servers.size(); ++index) {
        for (size_t each = 0; each < policy::kCheckResults; ++each) {
            const auto result = static_cast<policy::CheckResult>(each);
            add_counter(checks,
                        {{"server", servers[index]}, {"result", std::string(policy::name_of(result))}},
                        overview.fleet().checks(index, result));
        }
    }
}

// ---- weir itself

void add_clients(const Overview& overview, Families& families) {
    add_gauge(
        add_family(families, "weir_client_connections", MetricType::Gauge, "Clients that are connected."), {},
        uint64_t{overview.gate.connections()});
    add_counter(add_family(families, "weir_client_connections_refused_total", MetricType::Counter,
                           "Connections that were closed unserved, since clients.max_connections or "
                           "clients.max_connections_per_ip was reached."),
                {}, overview.gate.refused());
    MetricFamily& floods = add_family(families, "weir_h2_floods_total", MetricType::Counter,
                                      "HTTP/2 connections that were ended for what they kept doing.");
    for (size_t index = 0; index < policy::kFloods; ++index) {
        const auto kind = static_cast<policy::Flood>(index);
        add_counter(floods, {{"kind", std::string(policy::name_of(kind))}},
                    sum_of(overview, [kind](const Metrics& m) { return m.floods(kind); }));
    }
    MetricFamily& bytes = add_family(families, "weir_bytes_total", MetricType::Counter,
                                     "Bytes of request bodies (in) and of answers' bodies (out), counted "
                                     "when a request ends.");
    add_counter(bytes, {{"direction", "in"}}, sum_of(overview, Total::request_bytes));
    add_counter(bytes, {{"direction", "out"}}, sum_of(overview, Total::response_bytes));
    add_gauge(add_family(families, "weir_buffered_bytes", MetricType::Gauge,
                         "Memory that requests and answers hold now, of limits.memory."),
              {}, uint64_t{overview.budget.used_bytes()});
    add_counter(
        add_family(families, "weir_log_lines_dropped_total", MetricType::Counter,
                   "Lines of the access log that were dropped, since the disk or the reader stalled."),
        {}, overview.log_writer() == nullptr ? uint64_t{0} : overview.log_writer()->dropped_lines());
}

/// All that there may be are there from the start, where an address has use for them.
void add_arrivals(const Overview& overview, Families& families) {
    const auto& listen = overview.settings().listen;
    const bool has_tls =
        std::any_of(listen.begin(), listen.end(), [](const auto& each) { return !each.tls.empty(); });
    const bool has_headers =
        std::any_of(listen.begin(), listen.end(), [](const auto& each) { return each.proxy_protocol; });
    if (has_tls) {
        MetricFamily& done = add_family(families, "weir_tls_handshakes_total", MetricType::Counter,
                                        "TLS handshakes with clients that succeeded: full, or resumed by a "
                                        "ticket.");
        add_counter(done, {{"kind", "full"}},
                    sum_of(overview, [](const Metrics& m) { return m.arrivals().full_handshakes.read(); }));
        add_counter(done, {{"kind", "resumed"}}, sum_of(overview, [](const Metrics& m) {
                        return m.arrivals().resumed_handshakes.read();
                    }));
        MetricFamily& failed = add_family(families, "weir_tls_handshake_failures_total", MetricType::Counter,
                                          "TLS handshakes with clients that failed, by what was wrong.");
        for (size_t index = 0; index < proxy::kHandshakeFailures; ++index)
            add_counter(
                failed, {{"cause", std::string(name_of(static_cast<proxy::HandshakeFailure>(index)))}},
                sum_of(overview,
                       [&](const Metrics& m) { return m.arrivals().failed_handshakes[index].read(); }));
    }
    if (!has_headers) return;
    MetricFamily& refused = add_family(families, "weir_proxy_headers_refused_total", MetricType::Counter,
                                       "Connections that were closed for want of a PROXY header that could "
                                       "be believed.");
    for (size_t index = 0; index < proxy::kProxyHeaderFailures; ++index)
        add_counter(
            refused, {{"cause", std::string(name_of(static_cast<proxy::ProxyHeaderFailure>(index)))}},
            sum_of(overview, [&](const Metrics& m) { return m.arrivals().refused_headers[index].read(); }));
}

void add_config(const Overview& overview, Families& families) {
    add_gauge(add_family(families, "weir_config_reload_success", MetricType::Gauge,
                         "1 where the configuration that was read last is the one that holds."),
              {}, overview.is_last_load_good ? 1.0 : 0.0);
    add_gauge(add_family(families, "weir_config_reload_timestamp_seconds", MetricType::Gauge,
                         "When the configuration that holds was read, since 1970."),
              {}, seconds_since_epoch(overview.loaded_at));
    add_gauge(
        add_family(families, "weir_build_info", MetricType::Gauge, "Always 1; the labels tell the build."),
        {{"version", kVersion}}, 1.0);
}

void add_process(const Overview& overview, Families& families) {
    const ProcessFigures figures = read_process_figures();
    const auto gauge = [&](const char* name, const char* help, auto value) {
        add_gauge(add_family(families, name, MetricType::Gauge, help), {}, value);
    };
    add_counter(add_family(families, "process_cpu_seconds_total", MetricType::Counter,
                           "User and system CPU time spent, in seconds."),
                {}, figures.cpu_seconds);
    gauge("process_open_fds", "Open file descriptors.", figures.open_fds);
    gauge("process_max_fds", "The most that there may be.", figures.max_fds);
    gauge("process_virtual_memory_bytes", "Virtual memory, in bytes.", figures.virtual_bytes);
    gauge("process_resident_memory_bytes", "Resident memory, in bytes.", figures.resident_bytes);
    gauge("process_threads", "Threads of the process.", figures.threads);
    gauge("process_start_time_seconds", "When the process started, since 1970.",
          seconds_since_epoch(overview.started_at));
}

}  // namespace

std::vector<MetricFamily> MetricsPage::Collect() const {
    // Of the plan that holds: a reload may have changed both.
    const std::vector<std::string> servers = server_labels(overview_.settings());
    const std::vector<std::string> caps = cap_labels(overview_.rules());
    Families families;
    add_requests(overview_, families);
    add_durations(overview_, families);
    add_all_refusals(overview_, families);
    add_caps(overview_, caps, families);
    add_limiters(overview_, families);
    add_pools(overview_, servers, families);
    add_retries(overview_, servers, families);
    add_servers(overview_, servers, families);
    add_checks(overview_, servers, families);
    add_clients(overview_, families);
    add_arrivals(overview_, families);
    add_config(overview_, families);
    add_process(overview_, families);
    return families;
}

std::string MetricsPage::text() const {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, Collect());
    return text.str();
}

}  // namespace weir::app
