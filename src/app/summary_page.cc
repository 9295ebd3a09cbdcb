#include "app/summary_page.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include <nlohmann/json.hpp>

#include "app/state_pages.h"
#include "app/version.h"
#include "config/quota.h"
#include "config/units.h"

namespace weir::app {

namespace {

using Json = nlohmann::ordered_json;
using proxy::Scope;
using proxy::ScopeFigures;

/// `read` is what of one scope of one worker is to be added up.
template <class Read>
uint64_t sum_of(const Overview& overview, Read read) {
    uint64_t sum = 0;
    for (const Scope& scope : overview.rules().scopes())
        for (const auto& worker : overview.workers) sum += read(worker->scope(scope.number));
    return sum;
}

Json requests_of(const Overview& overview) {
    uint64_t begun = 0;
    uint64_t ended = 0;
    for (const auto& worker : overview.workers) {
        ended += worker->total(proxy::Total::ended);
        begun += worker->total(proxy::Total::begun);
    }
    Json by_status = Json::object();
    for (uint16_t first = proxy::CodeCounts::kLeast; first < proxy::CodeCounts::kMost; first += 100) {
        by_status[fmt::format("{}xx", first / 100)] = sum_of(overview, [&](const ScopeFigures& figures) {
            uint64_t sum = 0;
            for (uint16_t code = first; code < first + 100; ++code) sum += figures.codes.read(code);
            return sum;
        });
    }
    return {{"ended", ended},
            {"in_progress", begun > ended ? begun - ended : 0},
            {"by_status", std::move(by_status)}};
}

Json refused_of(const Overview& overview) {
    Json refused = Json::object();
    for (size_t reason = 0; reason < http::kReasons; ++reason) {
        const uint64_t count = sum_of(overview, [&](const ScopeFigures& figures) {
            uint64_t sum = figures.refused[reason].read();
            for (const auto& by_reason : figures.refused_by_rate) sum += by_reason[reason].read();
            for (const auto& by_reason : figures.refused_by_cap) sum += by_reason[reason].read();
            return sum;
        });
        if (count > 0) refused[http::text_of(static_cast<http::Reason>(reason)).slug] = count;
    }
    return refused;
}

uint64_t refused_in_shadow(const Overview& overview) {
    return sum_of(overview, [](const ScopeFigures& figures) {
        uint64_t sum = 0;
        for (const proxy::Count& count : figures.shadow_refusals) sum += count.read();
        return sum;
    });
}

Json durations_of(const Overview& overview) {
    const auto counts = [&](proxy::Histogram ScopeFigures::*member) {
        proxy::HistogramFigures sum;
        for (const Scope& scope : overview.rules().scopes()) sum += added_up(overview, scope.number, member);
        return sum.counts;
    };
    return {{"bounds", proxy::Buckets::kBounds},
            {"request", counts(&ScopeFigures::duration)},
            {"queue", counts(&ScopeFigures::queue_wait)},
            {"app", counts(&ScopeFigures::upstream)}};
}

std::string_view state_of(const proxy::Fleet& fleet, size_t server, Time now) {
    if (fleet.health(server) == proxy::Fleet::Health::down) return "down";
    if (fleet.is_unreachable(server)) return "unreachable";
    const bool is_in = fleet.candidate(server, now).standing == policy::Candidate::Standing::in;
    return is_in ? "up" : "left_out";
}

Json servers_of(const Overview& overview, Time now) {
    Json servers = Json::array();
    const std::vector<std::string> names = server_labels(overview.settings());
    for (size_t index = 0; index < names.size(); ++index)
        servers.push_back({{"server", names[index]},
                           {"state", state_of(overview.fleet(), index, now)},
                           {"in_flight", overview.fleet().in_flight(index)}});
    return servers;
}

// ---- limits

std::string_view text_of(config::Mode mode) {
    switch (mode) {
        case config::Mode::enforce: return "enforce";
        case config::Mode::shadow: return "shadow";
        case config::Mode::off: return "off";
    }
    return "";
}

Json rates_of(const std::vector<config::Rate>& rates) {
    Json all = Json::array();
    for (const config::Rate& rate : rates) {
        Json row{{"name", rate.name},
                 {"limit", config::format_quota(rate.quota)},
                 {"mode", text_of(rate.mode.value)}};
        if (rate.burst) row["burst"] = *rate.burst;
        all.push_back(std::move(row));
    }
    return all;
}

Json scope_of(const config::ScopeLimits& limits, Duration total) {
    Json scope{{"mode", text_of(limits.mode.value)}, {"rates", rates_of(limits.rates)}};
    if (limits.concurrency) {
        scope["concurrency"] = *limits.concurrency;
        scope["queue"] = {{"size", limits.queue.size.value},
                          {"wait", config::format_duration(limits.queue.wait.value)}};
    }
    if (limits.per_client_concurrency) scope["per_client_concurrency"] = *limits.per_client_concurrency;
    scope["body"] = config::format_size(limits.body_bytes.value);
    scope["timeout"] = config::format_duration(total);
    return scope;
}

}  // namespace

std::string summary_json(const Overview& overview, Time now) {
    Json json{{"status", status_of(overview)},
              {"upstream", upstream_state(overview)},
              {"version", kVersion},
              {"uptime", uptime_seconds(overview, now)}};
    json["requests"] = requests_of(overview);
    json["refused"] = refused_of(overview);
    json["refused_in_shadow"] = refused_in_shadow(overview);
    json["durations"] = durations_of(overview);
    json["servers"] = servers_of(overview, now);
    json["clients"] = {{"connections", overview.gate.connections()},
                       {"most", overview.settings().clients.max_connections}};
    json["memory"] = {{"held_bytes", overview.budget.used_bytes()},
                      {"most_bytes", overview.budget.limit_bytes()}};
    return json.dump() + "\n";
}

std::string limits_json(const config::Settings& settings) {
    Json routes = Json::array();
    for (const config::Route& route : settings.routes) {
        Json row{{"name", route.name}};
        row.update(scope_of(route.limits, route.timeout_total.value));
        if (route.limits.is_exempt) row["is_exempt"] = true;
        routes.push_back(std::move(row));
    }
    const Json json{{"global", scope_of(settings.limits, settings.timeout.total)},
                    {"routes", std::move(routes)},
                    {"shadow", rates_of(settings.shadow)}};
    return json.dump() + "\n";
}

}  // namespace weir::app
