#include "app/configuration.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "app/admin_listener.h"
#include "net/socket.h"

namespace weir::app {

namespace {

size_t workers_of(const config::Settings& settings) {
    return settings.workers != 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
}

using TlsToApp = std::shared_ptr<const net::TlsClientContext>;

/// Null where no server has https.
Result<TlsToApp> tls_to_app(const config::Upstream& upstream) {
    const auto& servers = upstream.servers;
    if (std::none_of(servers.begin(), servers.end(), [](const config::Server& each) { return each.is_tls; }))
        return TlsToApp();
    auto loaded = net::TlsClientContext::load({.ca = upstream.tls.ca, .verify = upstream.tls.verify});
    if (!loaded) return fail("upstream.tls.ca: " + loaded.error());
    return TlsToApp(std::make_shared<net::TlsClientContext>(std::move(*loaded)));
}

using AccessLog = std::shared_ptr<proxy::LogWriter>;

/// Null where there is to be none.
Result<AccessLog> access_log_of(const config::Log& log, const proxy::Plan* before) {
    if (log.access == "off") return AccessLog();
    if (before != nullptr && before->settings.log.access == log.access) return before->around.log_writer;
    auto writer = proxy::LogWriter::open(log.access);
    if (!writer) return fail(writer.error());
    return AccessLog(std::move(*writer));
}

/// Descriptors for all that is neither a client nor its connection to the app.
constexpr size_t kReservedDescriptors = 64 + 2 * AdminListener::kMost;

/// Each client may need a second descriptor for its connection to the app: more clients than that could leave
/// none.
size_t affordable_connections(size_t wanted) {
    size_t limit = net::raise_descriptor_limit();
    size_t affordable = (std::max(limit, 2 * kReservedDescriptors) - kReservedDescriptors) / 2;
    if (affordable < wanted)
        log::info(
            "{} file descriptors, two for each client, are too few for clients.max_connections {}: "
            "{} clients are let in",
            limit, wanted, affordable);
    return std::min(wanted, affordable);
}

void keep_what_needs_restart(config::Settings& settings, const config::Settings& before) {
    settings.workers = before.workers;
    // The token too: one that is meant for another address may be missing at this one.
    if (settings.admin.address != before.admin.address) settings.admin = before.admin;
}

}  // namespace

log::Level log_level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug: return log::Level::debug;
        case config::LogLevel::info: return log::Level::info;
        case config::LogLevel::warning: return log::Level::warning;
        case config::LogLevel::error: return log::Level::error;
    }
    return log::Level::info;
}

proxy::ConnectionGate::Bounds connection_bounds(const config::Clients& clients) {
    return {.connections = affordable_connections(clients.max_connections),
            .per_address = clients.max_connections_per_ip,
            .exempt = policy::AddressSet(clients.trusted_proxies)};
}

Result<std::shared_ptr<proxy::Plan>> make_plan(config::Settings settings, const proxy::Plan* before) {
    if (before != nullptr) keep_what_needs_restart(settings, before->settings);
    proxy::Surroundings around{.seed = before == nullptr ? HashSeed::random() : before->around.seed,
                               .workers = before == nullptr ? workers_of(settings) : before->around.workers};
    auto tls = tls_to_app(settings.upstream);
    if (!tls) return fail(tls.error());
    around.tls = std::move(*tls);
    auto log_writer = access_log_of(settings.log, before);
    if (!log_writer) return fail(log_writer.error());
    around.log_writer = std::move(*log_writer);
    return std::make_shared<proxy::Plan>(std::move(settings), std::move(around), before);
}

std::vector<std::string> what_needs_restart(const config::Settings& was, const config::Settings& is) {
    std::vector<std::string> found;
    if (was.workers != is.workers) found.emplace_back("workers");
    if (was.admin.address != is.admin.address) found.emplace_back("admin.address");
    for (const config::Listen& listen : is.listen)
        for (const config::Listen& former : was.listen)
            if (listen.address == former.address && listen.mode != former.mode)
                found.push_back("the mode of " + to_string(listen.address));
    return found;
}

}  // namespace weir::app
