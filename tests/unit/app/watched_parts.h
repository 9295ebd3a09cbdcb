// A server's parts with an overview of them, for the tests of what the admin address shows.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "app/overview.h"
#include "proxy/limited_settings.h"

namespace weir::app {

/// Two workers that have counted nothing yet. The settings are those of limited_settings.
struct WatchedParts {
    explicit WatchedParts(config::Settings from = proxy::limited_settings())
        : settings(with_admin(std::move(from))) {}

    static config::Settings with_admin(config::Settings settings) {
        settings.admin.address = Endpoint{.host = "127.0.0.1", .port = 0, .path = {}};
        return settings;
    }

    config::Settings settings;
    /// Has the pages see what a test has changed in the settings.
    void settle() { overview.plan = make_plan(); }
    [[nodiscard]] std::shared_ptr<proxy::Plan> make_plan() const {
        return std::make_shared<proxy::Plan>(settings,
                                             proxy::Surroundings{.seed = HashSeed{1, 2}, .workers = 2});
    }

    std::shared_ptr<proxy::Plan> plan = make_plan();
    proxy::Rules& rules = plan->rules;
    proxy::Fleet& fleet = *plan->fleet;
    proxy::ConnectionGate gate{{.connections = 100, .per_address = 100}};
    MemoryBudget budget{1 << 20};
    std::array<std::shared_ptr<proxy::Metrics>, 2> workers{
        std::make_shared<proxy::Metrics>(rules, fleet.size()),
        std::make_shared<proxy::Metrics>(rules, fleet.size())};
    std::array<proxy::NotableRequests, 2> notable_requests{proxy::NotableRequests(2),
                                                           proxy::NotableRequests(2)};
    std::array<proxy::ClientBook, 2> client_books{proxy::ClientBook(Time(std::chrono::seconds(100))),
                                                  proxy::ClientBook(Time(std::chrono::seconds(100)))};
    bool is_draining = false;
    int drains = 0;
    std::function<Result<bool>()> reloads = [] { return Result<bool>(true); };
    Overview overview{.plan = plan,
                      .gate = gate,
                      .budget = budget,
                      .workers = {workers[0], workers[1]},
                      .notable_requests = {&notable_requests[0], &notable_requests[1]},
                      .client_books = {&client_books[0], &client_books[1]},
                      .effective_config = "workers: 2\n",
                      .started = Time(std::chrono::seconds(100)),
                      .started_at = WallTime(std::chrono::seconds(1'600'000'000)),
                      .loaded_at = WallTime(std::chrono::seconds(1'700'000'000)),
                      .is_draining = [this] { return is_draining; },
                      .drain = [this] { ++drains; },
                      .reload = [this] { return reloads(); }};
};

/// Series and values of a text in Prometheus' exposition format, with ' for " in the names. Fails on a line
/// that is none, on a series that is there twice, and on one without its HELP and TYPE.
inline std::map<std::string, double> series_in(const std::string& text) {
    std::map<std::string, double> series;
    std::string family;
    for (size_t start = 0; start < text.size();) {
        const size_t end = text.find('\n', start);
        REQUIRE(end != std::string::npos);
        const std::string line = text.substr(start, end - start);
        CAPTURE(line);
        start = end + 1;
        if (line.starts_with("# HELP ")) family = line.substr(7, line.find(' ', 7) - 7);
        if (line.starts_with("#")) {
            CHECK(line.substr(7).starts_with(family + " "));
            continue;
        }
        const size_t space = line.rfind(' ');
        REQUIRE(space != std::string::npos);
        CHECK(line.starts_with(family));
        size_t read = 0;
        const double value = std::stod(line.substr(space + 1), &read);
        CHECK(read == line.size() - space - 1);
        std::string name = line.substr(0, space);
        std::replace(name.begin(), name.end(), '"', '\'');
        CHECK(series.emplace(std::move(name), value).second);
    }
    return series;
}

}  // namespace weir::app
