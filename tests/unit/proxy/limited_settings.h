// A configuration with something of everything that has figures of its own.
#pragma once

#include "proxy/worker_parts.h"

namespace weir::proxy {

inline config::Rate rate_of(const char* name, uint32_t limit, config::Mode mode = config::Mode::enforce) {
    config::Rate rate;
    rate.name = name;
    rate.quota = {.limit = limit, .window = std::chrono::minutes(1)};
    rate.key = {{.kind = config::KeyPart::Kind::ip, .name = {}}};
    rate.mode.value = mode;
    return rate;
}

/// Two servers; the global rate `per-min`, in shadow `tight` and `tighter`, a cap of 4; a route `reports`
/// with a rate and a cap of its own.
inline config::Settings limited_settings() {
    config::Settings settings = wide_settings();
    settings.upstream.servers.push_back({.address = {.host = "127.0.0.1", .port = 5001, .path = {}}});
    settings.clients.key = {{.kind = config::KeyPart::Kind::ip, .name = {}}};
    settings.limits.rates = {rate_of("per-min", 60)};
    settings.shadow = {rate_of("tight", 30), rate_of("tighter", 20)};
    for (config::Rate& rate : settings.shadow) rate.mode = {config::Mode::shadow, true};
    settings.limits.concurrency = 4;
    settings.limits.queue.size.value = 10;
    config::Route route;
    route.name = "reports";
    route.limits.rates = {rate_of("reports-rate", 10)};
    route.limits.keys.value = 100;
    route.limits.concurrency = 2;
    route.timeout_total.value = std::chrono::hours(1);
    settings.routes = {route};
    return settings;
}

}  // namespace weir::proxy
