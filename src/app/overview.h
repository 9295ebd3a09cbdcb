// What the pages of the admin address tell of: the parts of a running server, for reading.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/block_pool.h"
#include "base/result.h"
#include "config/settings.h"
#include "proxy/client_book.h"
#include "proxy/connection_gate.h"
#include "proxy/metrics.h"
#include "proxy/notable_requests.h"
#include "proxy/plan.h"

namespace weir::app {

/// Everything it refers to outlives it. Thread: the control thread's.
struct Overview {
    std::shared_ptr<const proxy::Plan> plan;
    const proxy::ConnectionGate& gate;
    const MemoryBudget& budget;
    std::vector<std::shared_ptr<const proxy::Metrics>> workers;   ///< of that plan
    std::vector<const proxy::NotableRequests*> notable_requests;  ///< of each worker, as the next
    std::vector<const proxy::ClientBook*> client_books;
    std::string effective_config;  ///< as config/check_report.h writes it
    Time started;
    WallTime started_at;            ///< the same by the calendar
    WallTime loaded_at;             ///< when the configuration that holds was read
    bool is_last_load_good = true;  ///< false: another one was read since, and refused
    std::function<bool()> is_draining;
    std::function<void()> drain;  ///< as SIGTERM does it, once; returns at once
    /// As SIGHUP does it. The error says every mistake with its place.
    std::function<Result<bool>()> reload;

    [[nodiscard]] const config::Settings& settings() const { return plan->settings; }
    [[nodiscard]] const proxy::Rules& rules() const { return plan->rules; }
    [[nodiscard]] const proxy::Fleet& fleet() const { return *plan->fleet; }
    /// nullptr: there is no access log.
    [[nodiscard]] const proxy::LogWriter* log_writer() const { return plan->around.log_writer.get(); }
};

/// What its name is in labels and reports where several may have the same: "name", "name#2", "name#3".
[[nodiscard]] std::vector<std::string> told_apart(std::vector<std::string> names);
[[nodiscard]] std::vector<std::string> server_labels(const config::Settings& settings);
[[nodiscard]] std::vector<std::string> cap_labels(const proxy::Rules& rules);

/// Of all workers together. `member` picks a histogram of a scope's figures.
[[nodiscard]] proxy::HistogramFigures added_up(const Overview& overview, size_t scope,
                                               proxy::Histogram proxy::ScopeFigures::*member);

}  // namespace weir::app
