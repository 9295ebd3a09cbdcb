#include "app/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <utility>

#include "base/log.h"

namespace weir::app {

namespace {

/// How long the first look-up of the servers' names may hold up the start.
constexpr Duration kFirstLookUp = std::chrono::seconds(2);

uint64_t random_word() {
    std::random_device source;
    return (uint64_t{source()} << 32) | source();
}

unsigned worker_count(const config::Settings& settings) {
    return settings.workers != 0 ? settings.workers : std::max(1U, std::thread::hardware_concurrency());
}

/// Descriptors for all that is neither a client nor its connection to the app.
constexpr size_t kReservedDescriptors = 64 + 2 * AdminListener::kMost;

/// Each client may need a second descriptor for its connection to the app: more clients than that could leave
/// none.
size_t affordable_connections(size_t wanted) {
    size_t limit = net::raise_descriptor_limit();
    size_t affordable = (std::max(limit, 2 * kReservedDescriptors) - kReservedDescriptors) / 2;
    if (affordable < wanted)
        log::info("{} file descriptors are too few for clients.max_connections {}: {} clients are let in",
                  limit, wanted, affordable);
    return std::min(wanted, affordable);
}

log::Level level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug: return log::Level::debug;
        case config::LogLevel::info: return log::Level::info;
        case config::LogLevel::warning: return log::Level::warning;
        case config::LogLevel::error: return log::Level::error;
    }
    return log::Level::info;
}

using TlsToApp = std::unique_ptr<const net::TlsClientContext>;

/// Null where no server has https.
Result<TlsToApp> tls_to_app(const config::Upstream& upstream) {
    const auto& servers = upstream.servers;
    if (std::none_of(servers.begin(), servers.end(), [](const config::Server& each) { return each.is_tls; }))
        return TlsToApp();
    auto loaded = net::TlsClientContext::load({.ca = upstream.tls.ca, .verify = upstream.tls.verify});
    if (!loaded) return fail("upstream.tls.ca: " + loaded.error());
    return TlsToApp(std::make_unique<net::TlsClientContext>(std::move(*loaded)));
}

}  // namespace

void prepare_process() {
    net::block_signals({SIGTERM, SIGINT, SIGUSR1, SIGHUP});
    std::signal(SIGPIPE, SIG_IGN);
}

Result<std::unique_ptr<Server>> Server::start(config::Settings settings, std::string effective_config) {
    auto tls = tls_to_app(settings.upstream);
    if (!tls) return fail(tls.error());
    auto server = std::make_unique<Server>(Private(), std::move(settings), std::move(*tls));
    const std::string& access = server->settings_.log.access;
    if (access != "off") {
        auto writer = proxy::LogWriter::open(access);
        if (!writer) return fail(writer.error());
        server->log_writer_ = std::move(*writer);
    }
    if (auto opened = server->open_sockets(); !opened) return fail(opened.error());
    if (auto opened = server->open_admin(std::move(effective_config)); !opened) return fail(opened.error());
    server->start_checks();
    server->start_workers();
    return server;
}

Server::Server(Private, config::Settings settings, std::unique_ptr<const net::TlsClientContext> tls)
    : settings_(std::move(settings)),
      tls_(std::move(tls)),
      budget_(settings_.limits.memory_bytes),
      gate_(affordable_connections(settings_.clients.max_connections),
            settings_.clients.max_connections_per_ip, policy::AddressSet(settings_.clients.trusted_proxies)),
      rules_(settings_, HashSeed::random()),
      fleet_(settings_, worker_count(settings_), tls_.get()),
      control_(loop_),
      signals_(loop_, {SIGTERM, SIGINT, SIGUSR1, SIGHUP}, [this](int signal) { on_signal(signal); }) {
    log::set_level(level_of(settings_.log.level));
}

Server::~Server() {
    resolver_.reset();  // it posts to the workers
    admin_.reset();     // it reads of them
    workers_.clear();
}

Result<bool> Server::open_sockets() {
    unsigned workers = worker_count(settings_);
    for (const config::Listen& listen : settings_.listen) {
        bool one_each = workers > 1 && !listen.address.is_unix();
        std::vector<net::Fd> sockets;
        Endpoint address = listen.address;
        if (one_each) {
            // Sockets that share a port would also share it with another process: this one tells.
            auto alone = net::listen_on(address, {});
            if (!alone) return fail(alone.error());
        }
        for (unsigned each = 0; each < (one_each ? workers : 1); ++each) {
            auto socket = net::listen_on(address, {.unix_mode = listen.mode, .share_port = one_each});
            if (!socket) return fail(socket.error());
            if (address.is_unix()) socket_files_.emplace_back(address.path);
            if (!address.is_unix()) address.port = net::SocketAddress::local_of(*socket).port();
            sockets.push_back(std::move(*socket));
        }
        sockets_.push_back(std::move(sockets));
    }
    return true;
}

void Server::start_checks() {
    if (settings_.health.path.empty()) return;
    auto on_change = [this](size_t server, proxy::Fleet::Health health) {
        if (health != proxy::Fleet::Health::up) return;
        for (auto& worker : workers_) worker->on_server_up();
    };
    probers_ = std::make_unique<proxy::ProberSet>(
        proxy::ProbeKit{loop_, settings_, fleet_, std::mt19937(std::random_device()()), on_change});
}

/// The default address may be another weir's on this machine, which is no reason not to start.
Result<bool> Server::open_admin(std::string effective_config) {
    if (!settings_.admin.address) return true;
    overview_.emplace(Overview{.settings = settings_,
                               .rules = rules_,
                               .fleet = fleet_,
                               .gate = gate_,
                               .budget = budget_,
                               .log_writer = log_writer_.get(),
                               .workers = {},
                               .effective_config = std::move(effective_config),
                               .started = loop_.now(),
                               .started_at = loop_.calendar_time(),
                               .is_draining = [this] { return draining_; },
                               // Not before the answer to who asked for it is out.
                               .drain = [this] { control_.post([this] { begin_drain(); }); }});
    auto admin = AdminListener::open(loop_, *overview_);
    if (admin) {
        admin_ = std::move(*admin);
    } else if (settings_.admin.is_address_own) {
        return fail(fmt::format("the admin address: {}", admin.error()));
    } else {
        log::warning("there is no admin address: {}; `admin: ADDRESS` gives another one, `admin: ~` none",
                     admin.error());
    }
    return true;
}

void Server::start_workers() {
    Shared shared{.settings = settings_,
                  .budget = budget_,
                  .gate = gate_,
                  .rules = rules_,
                  .fleet = fleet_,
                  .log_writer = log_writer_.get(),
                  .workers = worker_count(settings_),
                  .on_connect_failed = [this] { control_.post([this] { on_connect_failed(); }); },
                  .on_accept_ended = [this] { on_accept_ended(); },
                  .on_worker_ended = [this] { on_worker_ended(); }};
    for (unsigned each = 0; each < worker_count(settings_); ++each)
        workers_.push_back(
            std::make_unique<Worker>(shared, each, std::array{random_word(), random_word(), random_word()}));
    if (overview_)
        for (const auto& worker : workers_) overview_->workers.push_back(&worker->metrics());

    std::vector<Endpoint> endpoints;
    for (const config::Server& server : settings_.upstream.servers) endpoints.push_back(server.address);
    unresolved_ = endpoints.size();
    resolve_errors_.resize(endpoints.size());
    resolver_ = std::make_unique<net::Resolver>(
        std::move(endpoints),
        [this](size_t server, const net::Resolution& found) { on_resolved(server, found); });
    wait_for_addresses();
    for (size_t worker = 0; worker < workers_.size(); ++worker)
        for (size_t index = 0; index < sockets_.size(); ++index)
            workers_[worker]->accept_from(sockets_[index][worker % sockets_[index].size()],
                                          settings_.listen[index]);
}

void Server::on_connect_failed() {
    resolver_->ask_again();
    if (probers_) probers_->hurry();
}

/// On the resolver's thread.
void Server::on_resolved(size_t server, const net::Resolution& found) {
    std::string name = to_string(settings_.upstream.servers[server].address);
    if (found.error.empty()) {
        for (auto& worker : workers_) worker->set_addresses(server, found.addresses);
    } else if (found.error != resolve_errors_[server]) {
        log::warning("{} cannot be resolved: {}", name, found.error);
    }
    control_.post([this, server, found] {
        if (probers_) probers_->on_resolved(server, found);
    });
    std::lock_guard lock(resolved_mutex_);
    resolve_errors_[server] = found.error;
    if (unresolved_ > 0) --unresolved_;
    resolved_.notify_one();
}

void Server::wait_for_addresses() {
    std::unique_lock lock(resolved_mutex_);
    resolved_.wait_for(lock, kFirstLookUp, [this] { return unresolved_ == 0; });
}

std::vector<std::string> Server::addresses() const {
    std::vector<std::string> all;
    for (const auto& sockets : sockets_) all.push_back(net::SocketAddress::local_of(sockets.front()).text());
    return all;
}

void Server::run() { loop_.run(); }

/// On the worker's thread.
void Server::on_accept_ended() {
    // Not before the last of them: closing a socket resets the clients in its queue.
    control_.post([this] {
        if (++deaf_workers_ < workers_.size()) return;
        sockets_.clear();
        socket_files_.clear();
    });
}

/// On the worker's thread.
void Server::on_worker_ended() {
    control_.post([this] {
        if (++ended_workers_ == workers_.size()) loop_.stop();
    });
}

void Server::on_signal(int signal) {
    if (signal == SIGUSR1) {
        log::info("reopening the logs");
        if (log_writer_) log_writer_->reopen();
    } else if (signal == SIGHUP) {
        log::warning("a reload was asked for; it needs a restart in this version");
    } else if (!draining_) {
        begin_drain();
    } else {
        log::warning("a second signal: stopping at once");
        for (auto& worker : workers_) worker->stop_now();
    }
}

void Server::begin_drain() {
    if (std::exchange(draining_, true)) return;
    probers_.reset();
    log::info("draining: no new connections, {} s for what runs",
              std::chrono::duration_cast<std::chrono::seconds>(settings_.drain).count());
    for (auto& worker : workers_) worker->drain(settings_.drain);
}

}  // namespace weir::app
