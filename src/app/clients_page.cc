#include "app/clients_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "net/socket.h"
#include "policy/key.h"
#include "proxy/rules.h"

namespace weir::app {

namespace {

using Json = nlohmann::ordered_json;
using Kind = config::KeyPart::Kind;

/// Less than one request in some ten minutes is what is left of a busier time.
constexpr double kLeastShown = 0.001;

std::string text_of(const policy::IpBytes& address) {
    char text[net::IpAddress::kMaxText];
    return {text, net::IpAddress{address}.write(text)};
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

bool is_address_alone(const config::Key& key) { return key.size() == 1 && key.front().kind == Kind::ip; }

Json rows_of(const policy::HeavySummary& summary, const char* measure, bool shows_key) {
    Json rows = Json::array();
    for (const policy::HeavyHitter& each : summary.hitters) {
        if (rows.size() == kBusiestShown || each.weight < kLeastShown) break;
        Json row{{"client", text_of(each.address)}};
        if (shows_key) row["key"] = fmt::format("{:016x}", each.key);
        row[measure] = rounded(each.weight);
        row["error"] = rounded(std::max(each.error, 0.0));
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace

std::string clients_json(const Overview& overview, Time now) {
    std::vector<policy::BusyFigures> parts;
    for (const proxy::ClientBook* worker : overview.client_books) parts.push_back(worker->figures(now));
    const policy::BusyFigures figures = policy::merge(parts);
    const config::Key& key = overview.settings().clients.key;
    const bool shows_key = !is_address_alone(key);
    constexpr auto kHalfLife =
        std::chrono::duration_cast<std::chrono::seconds>(policy::BusyClients::kHalfLife);
    const Json json{{"half_life_seconds", kHalfLife.count()},
                    {"key", policy::format_key(proxy::key_of(key, {}))},
                    {"by_requests", rows_of(figures.requests, "per_second", shows_key)},
                    {"by_refusals", rows_of(figures.refusals, "per_second", shows_key)},
                    {"by_time", rows_of(figures.in_app, "in_app", shows_key)}};
    return json.dump(2) + "\n";
}

}  // namespace weir::app
