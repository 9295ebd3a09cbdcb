// From settings to a plan: what has to be opened and read for it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "config/settings.h"
#include "proxy/connection_gate.h"
#include "proxy/plan.h"

namespace weir::app {

/// Settings, and how `weir check` prints them.
struct Configuration {
    config::Settings settings;
    std::string effective{};  ///< as config/check_report.h writes it
};

/// Reads the configuration again, from where it was read at the start. The error is the text for a person:
/// every mistake with its place.
using ReadAgain = std::function<Result<Configuration, std::string>()>;

/// Reads the certificates to trust and opens the access log. `before`: the plan that holds now; its log stays
/// open where it stays the same, and what takes a restart stays as it is. The error says what could not be
/// had.
[[nodiscard]] Result<std::shared_ptr<proxy::Plan>> make_plan(config::Settings settings,
                                                             const proxy::Plan* before = nullptr);

/// As many as there are descriptors for, too.
[[nodiscard]] proxy::ConnectionGate::Bounds connection_bounds(const config::Clients& clients);
[[nodiscard]] log::Level log_level_of(config::LogLevel level);

/// What a reload cannot change, as clauses for the log; it goes on as it was.
[[nodiscard]] std::vector<std::string> what_needs_restart(const config::Settings& was,
                                                          const config::Settings& is);

}  // namespace weir::app
