#include "app/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <csignal>
#include <exception>
#include <random>
#include <utility>

#include "app/inherited_sockets.h"
#include "app/service_notice.h"
#include "base/log.h"

namespace weir::app {

namespace {

/// How long the first look-up of the servers' names may hold up the start.
constexpr Duration kFirstLookUp = std::chrono::seconds(2);

/// A number that is free is given to the next file or socket, and what is said on stderr would go there.
/// Opened the wrong way round, they take as little as closed ones.
void keep_standard_streams() {
    for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(stream, F_GETFD) < 0) (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

uint64_t random_word() {
    std::random_device source;
    return (uint64_t{source()} << 32) | source();
}

}  // namespace

void prepare_process() {
    keep_standard_streams();
    net::block_signals({SIGTERM, SIGINT, SIGUSR1, SIGHUP});
    std::signal(SIGPIPE, SIG_IGN);
}

Result<std::unique_ptr<Server>> Server::start(Configuration configuration, ReadAgain read_again) {
    auto plan = make_plan(std::move(configuration.settings));
    if (!plan) return fail(plan.error());
    try {
        auto server = std::make_unique<Server>(Private(), std::move(*plan), std::move(read_again));
        auto opened = server->open(std::move(configuration.effective));
        if (!opened) return fail(opened.error());
        return server;
    } catch (const std::exception& shortage) {  // of threads or descriptors, for loops and workers
        return fail(fmt::format("weir lacks what it needs to start: {}", shortage.what()));
    }
}

Result<bool> Server::open(std::string effective_config) {
    auto front_door = FrontDoor::open(settings(), loop_);
    if (!front_door) return fail(front_door.error());
    front_door_ = std::move(*front_door);
    if (auto opened = open_sockets(); !opened) return opened;
    if (auto opened = open_admin(std::move(effective_config)); !opened) return opened;
    start_checks();
    return start_workers();
}

Server::Server(Private, std::shared_ptr<proxy::Plan> plan, ReadAgain read_again)
    : read_again_(std::move(read_again)),
      plan_(std::move(plan)),
      budget_(settings().limits.memory_bytes),
      gate_(connection_bounds(settings().clients)),
      listening_(worker_count()),
      control_(loop_),
      signals_(loop_, {SIGTERM, SIGINT, SIGUSR1, SIGHUP}, [this](int signal) { on_signal(signal); }),
      farewell_timer_(loop_.timers(), &Server::on_farewell, this) {
    log::set_level(log_level_of(settings().log.level));
    plan_->fleet->bound_connections(settings());
}

Server::~Server() {
    resolver_.reset();  // it posts to the workers
    admin_.reset();     // it reads of them
    workers_.clear();
}

Result<bool> Server::open_sockets() {
    if (auto taken = take_over_sockets(); !taken) return taken;
    auto change = listening_.prepare(settings().listen);
    if (!change) return fail(change.error());
    listening_.add(std::move(change->opened));
    return true;
}

/// Addresses that the service manager holds are not opened anew.
Result<bool> Server::take_over_sockets() {
    auto handed_over = service_notice::take_sockets();
    if (!handed_over) return fail(handed_over.error());
    InheritedSockets inherited(std::move(*handed_over));
    std::vector<std::unique_ptr<Listening>> taken;
    for (const config::Listen& listen : settings().listen) {
        auto socket = inherited.claim(listen.address);
        if (!socket) continue;
        taken.push_back(std::make_unique<Listening>());
        taken.back()->configured = listen;
        taken.back()->sockets.push_back(std::move(*socket));
    }
    listening_.add(std::move(taken));
    const std::vector<std::string> unclaimed = inherited.unclaimed();
    if (unclaimed.empty()) return true;
    return fail(fmt::format("the socket at {} was handed over, and `listen` does not name that address",
                            fmt::join(unclaimed, ", ")));
}

void Server::start_checks() {
    probers_.reset();
    if (settings().health.path.empty()) {
        // Nobody would ever say again that one which was down is back.
        for (size_t server = 0; server < plan_->fleet->size(); ++server)
            plan_->fleet->set_health(server, proxy::Fleet::Health::unknown, loop_.now());
        return;
    }
    auto on_change = [this](size_t, proxy::Fleet::Health health) {
        if (health != proxy::Fleet::Health::up) return;
        for (auto& worker : workers_) worker->on_server_up();
    };
    probers_ = std::make_unique<proxy::ProberSet>(
        proxy::ProbeKit{loop_, plan_, std::mt19937(std::random_device()()), on_change});
}

/// The default address may be another weir's on this machine, which is no reason not to start.
Result<bool> Server::open_admin(std::string effective_config) {
    if (!settings().admin.address) return true;
    overview_.emplace(Overview{.plan = plan_,
                               .gate = gate_,
                               .budget = budget_,
                               .workers = {},
                               .notable_requests = {},
                               .client_books = {},
                               .effective_config = std::move(effective_config),
                               .started = loop_.now(),
                               .started_at = loop_.calendar_time(),
                               .loaded_at = loop_.calendar_time(),
                               .is_draining = [this] { return draining_; },
                               // Not before the answer to who asked for it is out.
                               .drain = [this] { control_.post([this] { begin_drain(); }); },
                               .reload = [this] { return reload(); }});
    auto admin = AdminListener::open(loop_, *overview_);
    if (admin) {
        admin_ = std::move(*admin);
    } else if (settings().admin.is_address_own) {
        return fail(fmt::format("the admin address: {}", admin.error()));
    } else {
        log::warning("there is no admin address: {}; `admin: ADDRESS` gives another one, `admin: ~` none",
                     admin.error());
    }
    return true;
}

Result<bool> Server::start_workers() {
    Shared shared{.plan = plan_,
                  .budget = budget_,
                  .gate = gate_,
                  .on_connect_failed =
                      [this](const std::optional<Endpoint>& server) {
                          control_.post([this, server] { on_connect_failed(server); });
                      },
                  .on_accept_ended = [this] { on_accept_ended(); },
                  .on_worker_ended = [this] { on_worker_ended(); }};
    for (size_t each = 0; each < worker_count(); ++each)
        workers_.push_back(
            std::make_unique<Worker>(shared, each, std::array{random_word(), random_word(), random_word()}));
    if (overview_) {
        for (const auto& worker : workers_) {
            overview_->workers.push_back(worker->metrics());
            overview_->notable_requests.push_back(&worker->notable_requests());
            overview_->client_books.push_back(&worker->client_book());
        }
    }

    auto resolver = make_resolver(plan_);
    if (!resolver) return fail(resolver.error());
    start_resolver(std::move(*resolver));
    wait_for_addresses();
    for (const auto& listening : listening_.all()) accept_from(*listening);
    return true;
}

/// Its thread may outlive the server, and must not keep the plan, whose log writes its last lines when it
/// goes.
Result<std::unique_ptr<net::Resolver>> Server::make_resolver(const std::shared_ptr<proxy::Plan>& plan) {
    std::vector<Endpoint> endpoints;
    for (const config::Server& server : plan->settings.upstream.servers) endpoints.push_back(server.address);
    std::vector<std::string> names;
    for (const Endpoint& endpoint : endpoints) names.push_back(to_string(endpoint));
    return net::Resolver::make(std::move(endpoints), [this, names, held = std::weak_ptr(plan)](
                                                         size_t server, const net::Resolution& found) {
        on_resolved(names[server], server, found);
        control_.post([this, held, server, found] {
            if (probers_ && held.lock() == plan_) probers_->on_resolved(server, found);
        });
    });
}

/// What it finds reaches the workers behind the plan that it is for.
void Server::start_resolver(std::unique_ptr<net::Resolver> resolver) {
    assert(!resolver_);  // or it would still count
    unresolved_ = settings().upstream.servers.size();
    resolve_errors_.assign(unresolved_, {});
    resolver_ = std::move(resolver);
    resolver_->begin();
}

void Server::on_connect_failed(const std::optional<Endpoint>& server) {
    resolver_->ask_again();
    if (probers_) probers_->hurry(server);
}

/// On the resolver's thread.
void Server::on_resolved(const std::string& name, size_t server, const net::Resolution& found) {
    if (found.error.empty()) {
        for (auto& worker : workers_) worker->set_addresses(server, found.addresses);
    } else if (found.error != resolve_errors_[server]) {
        log::warning("{} cannot be resolved: {}", name, found.error);
    }
    std::lock_guard lock(resolved_mutex_);
    resolve_errors_[server] = found.error;
    if (unresolved_ > 0) --unresolved_;
    resolved_.notify_one();
}

void Server::wait_for_addresses() {
    std::unique_lock lock(resolved_mutex_);
    resolved_.wait_for(lock, kFirstLookUp, [this] { return unresolved_ == 0; });
}

std::string Server::status() const {
    std::vector<std::string> servers;
    for (const config::Server& server : settings().upstream.servers)
        servers.push_back((server.is_tls ? "https://" : "") + to_string(server.address));
    return fmt::format("listens on {}, the app is at {}", fmt::join(addresses(), ", "),
                       fmt::join(servers, ", "));
}

void Server::run() {
    notify_ready({});
    start_watchdog();
    loop_.run();
}

/// `news` stands in front of what systemctl shows.
void Server::notify_ready(const std::string& news) { service_notice::ready(news + status()); }

void Server::start_watchdog() {
    const auto interval = service_notice::watchdog_interval();
    if (!interval) return;
    watchdog_.emplace(*interval);
    loop_.set_on_tick(&Server::on_tick, this);
}

void Server::on_tick(void* server) {
    auto& self = *static_cast<Server*>(server);
    std::vector<Time> ticks;
    for (const auto& worker : self.workers_) ticks.push_back(worker->last_tick());
    if (self.watchdog_->should_speak(self.loop_.now(), ticks)) service_notice::alive();
}

/// On the worker's thread.
void Server::on_accept_ended() {
    // Not before the last of them: closing a socket resets the clients in its queue.
    control_.post([this] {
        if (++deaf_workers_ < workers_.size()) return;
        listening_.close_all();
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
        if (plan_->around.log_writer) plan_->around.log_writer->reopen();
    } else if (signal == SIGHUP) {
        (void)reload();
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
    service_notice::stopping(settings().drain);
    log::info("draining: no new connections, {} s for what runs",
              std::chrono::duration_cast<std::chrono::seconds>(settings().drain).count());
    for (auto& worker : workers_) worker->drain(settings().drain);
}

}  // namespace weir::app
