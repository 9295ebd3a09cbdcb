// Everything the operator may decide, typed and checked: what the rest of weir reads. Built by config/load.h,
// from then on immutable and shared by all threads. Every default stands in the field table
// (config/fields.cc), not here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/endpoint.h"

namespace weir::config {

struct Listen {
    Endpoint address;
    uint32_t mode = 0660;  ///< permissions of a UNIX socket
};

enum class Balance : uint8_t { least_in_flight, round_robin };

struct Pool {
    size_t max_idle = 0;                   ///< idle connections kept for each server
    size_t min_idle = 0;                   ///< opened ahead of need, and replaced as they age
    std::optional<Duration> idle_timeout;  ///< none: "auto", learnt from the app
    uint64_t max_requests = 0;             ///< per connection; 0: no such bound
    Duration max_age{};
};

struct Server {
    Endpoint address;
};

struct Upstream {
    std::vector<Server> servers;  ///< at least one
    Balance balance = Balance::round_robin;
    std::string host;  ///< Host sent to the app; empty: the client's
    Pool pool;
};

struct Clients {
    size_t max_connections = 0;
    size_t max_connections_per_ip = 0;
};

struct Limits {
    uint64_t body_bytes = 0;
    size_t header_bytes = 0;  ///< whole request head
    size_t headers = 0;       ///< field count
    size_t uri_bytes = 0;
    uint64_t min_rate_bytes_per_second = 0;
    size_t memory_bytes = 0;
};

struct Buffers {
    size_t request_bytes = 0;
    size_t response_bytes = 0;
};

struct Timeout {
    Duration total{};
    Duration header{};
    Duration keepalive{};
    Duration connect{};
    Duration stall{};
    Duration tunnel{};  ///< silence after which an upgraded connection is closed; `total` and `stall` do not
                        ///< hold for it
};

enum class LogFormat : uint8_t { json, combined };
enum class LogLevel : uint8_t { debug, info, warning, error };

struct Log {
    std::string access;  ///< a path, "stdout", "stderr" or "off"
    LogFormat format = LogFormat::json;
    LogLevel level = LogLevel::info;
    Duration slow{};
};

struct Settings {
    std::vector<Listen> listen;  ///< at least one
    unsigned workers = 1;
    Duration drain{};
    Upstream upstream;
    Clients clients;
    Limits limits;
    Buffers buffers;
    Timeout timeout;
    Log log;
};

}  // namespace weir::config
