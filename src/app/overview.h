// What the pages of the admin address tell of: the parts of a running server, for reading.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/block_pool.h"
#include "config/settings.h"
#include "proxy/client_book.h"
#include "proxy/connection_gate.h"
#include "proxy/fleet.h"
#include "proxy/log_writer.h"
#include "proxy/metrics.h"
#include "proxy/notable_requests.h"
#include "proxy/rules.h"

namespace weir::app {

/// Everything it refers to outlives it. Thread: the control thread's.
struct Overview {
    const config::Settings& settings;
    const proxy::Rules& rules;
    const proxy::Fleet& fleet;
    const proxy::ConnectionGate& gate;
    const MemoryBudget& budget;
    const proxy::LogWriter* log_writer;  ///< nullptr: there is no access log
    std::vector<const proxy::Metrics*> workers;
    std::vector<const proxy::NotableRequests*> notable_requests;  ///< of each worker, as the next
    std::vector<const proxy::ClientBook*> client_books;
    std::string effective_config;  ///< as config/check_report.h writes it
    Time started;
    WallTime started_at;
    std::function<bool()> is_draining;
    std::function<void()> drain;  ///< as SIGTERM does it, once; returns at once
};

/// What its name is in labels and reports where several may have the same: "name", "name#2", "name#3".
[[nodiscard]] std::vector<std::string> told_apart(std::vector<std::string> names);
[[nodiscard]] std::vector<std::string> server_labels(const config::Settings& settings);
[[nodiscard]] std::vector<std::string> cap_labels(const proxy::Rules& rules);

/// Of all workers together. `member` picks a histogram of a scope's figures.
[[nodiscard]] proxy::HistogramFigures added_up(const Overview& overview, size_t scope,
                                               proxy::Histogram proxy::ScopeFigures::*member);

}  // namespace weir::app
