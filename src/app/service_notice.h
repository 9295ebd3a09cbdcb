// What weir tells the service manager that started it (sd_notify(3)), and what it is handed by it
// (sd_listen_fds(3), sd_watchdog_enabled(3)). The only part that knows libsystemd. Where nobody listens, as
// in a terminal or a container, nothing happens. Thread: the control thread's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/socket.h"

namespace weir::app::service_notice {

/// weir serves, or serves again after a reload. `status` is one line for `systemctl status`.
void ready(const std::string& status);
/// A reload has begun; ready() ends it, whether the new configuration holds or not.
void reloading(Time now);
/// A drain has begun. It may take up to `bound`, however short the manager's own patience is.
void stopping(Duration bound);
/// A sign of life.
void alive();

/// How long the manager waits for a sign of life; none where it asks for none.
[[nodiscard]] std::optional<Duration> watchdog_interval();

/// The listening sockets that weir was handed, once: a second call gets none. The error names a descriptor
/// that is something else.
[[nodiscard]] Result<std::vector<net::Fd>> take_sockets();

}  // namespace weir::app::service_notice
