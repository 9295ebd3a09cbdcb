#include "app/state_pages.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "app/version.h"

namespace weir::app {

namespace {

using Json = nlohmann::ordered_json;

std::string as_text(const Json& json) { return json.dump(2) + "\n"; }

bool uses(const proxy::Scope& scope, const proxy::ConcurrencyGate& cap) {
    return std::any_of(scope.caps.begin(), scope.caps.end(),
                       [&](const proxy::Cap& each) { return each.gate == &cap; });
}

Json quantiles_of(const proxy::HistogramFigures& figures) {
    if (figures.count() == 0) return nullptr;
    constexpr double kMicroseconds = 1e6;
    const auto rounded = [&](double share) {
        return std::round(figures.quantile(share) * kMicroseconds) / kMicroseconds;
    };
    return {{"p50", rounded(0.5)}, {"p90", rounded(0.9)}, {"p99", rounded(0.99)}};
}

/// Of the requests of all scopes that the cap holds for.
proxy::HistogramFigures added_up_for(const Overview& overview, const proxy::ConcurrencyGate& cap,
                                     proxy::Histogram proxy::ScopeFigures::*member) {
    proxy::HistogramFigures sum;
    for (const proxy::Scope& scope : overview.rules().scopes())
        if (uses(scope, cap)) sum += added_up(overview, scope.number, member);
    return sum;
}

Json stats_of(const Overview& overview, const proxy::ConcurrencyGate& cap) {
    const policy::ConcurrencyFigures figures = cap.group->figures();
    const bool has_slots = figures.slots != 0 && figures.slots != policy::ConcurrencyLimits::kUnbounded;
    return {{"activeProcesses", figures.in_service},
            {"queuedTasks", figures.waiting},
            {"totalProcessed", figures.completed},
            {"peakQueueSize", figures.peak_waiting},
            {"utilizationPercent", has_slots ? figures.in_service * 100 / figures.slots : 0},
            {"waitSeconds", quantiles_of(added_up_for(overview, cap, &proxy::ScopeFigures::queue_wait))},
            {"serviceSeconds", quantiles_of(added_up_for(overview, cap, &proxy::ScopeFigures::upstream))}};
}

}  // namespace

bool is_ready(const Overview& overview) { return !overview.is_draining() && overview.fleet().is_ready(); }

std::string_view status_of(const Overview& overview) {
    return overview.is_draining() ? "draining" : is_ready(overview) ? "ok" : "unavailable";
}

std::string_view upstream_state(const Overview& overview) {
    if (overview.settings().health.path.empty()) return "unknown";
    return overview.fleet().is_ready() ? "up" : "down";
}

int64_t uptime_seconds(const Overview& overview, Time now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now - overview.started).count();
}

std::string health_json(const Overview& overview, Time now) {
    return as_text({{"status", status_of(overview)},
                    {"upstream", upstream_state(overview)},
                    {"version", kVersion},
                    {"uptime", uptime_seconds(overview, now)}});
}

std::string stats_json(const Overview& overview) {
    Json all = Json::object();
    const std::vector<std::string> names = cap_labels(overview.rules());
    for (size_t index = 0; index < names.size(); ++index)
        all[names[index]] = stats_of(overview, *overview.rules().caps()[index]);
    return as_text(all);
}

}  // namespace weir::app
