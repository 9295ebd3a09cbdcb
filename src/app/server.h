// The whole proxy: opens its sockets, runs its workers, and does what signals ask for.
#pragma once

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/admin_listener.h"
#include "app/configuration.h"
#include "app/front_door.h"
#include "app/listening.h"
#include "app/watchdog.h"
#include "app/worker.h"
#include "base/block_pool.h"
#include "base/result.h"
#include "net/mailbox.h"
#include "net/resolver.h"
#include "net/signals.h"
#include "proxy/connection_gate.h"
#include "proxy/plan.h"
#include "proxy/prober_set.h"

namespace weir::app {

/// Thread: the one that makes it, which becomes the control thread in run().
class Server {
    struct Private {
        explicit Private() = default;
    };

  public:
    /// For start() alone.
    Server(Private, std::shared_ptr<proxy::Plan> plan, ReadAgain read_again);
    /// Reads the certificates to trust, opens log and sockets. The error says what could not be had.
    /// `read_again` is for reloads; without it there are none.
    static Result<std::unique_ptr<Server>> start(Configuration configuration, ReadAgain read_again = {});
    ~Server();

    /// Until a signal ends it: SIGTERM and SIGINT drain (a second one cuts off), SIGHUP reloads, SIGUSR1
    /// reopens the logs.
    void run();

    /// The addresses it listens on, ports chosen by the kernel filled in.
    [[nodiscard]] std::vector<std::string> addresses() const { return listening_.addresses(); }
    /// "listens on ..., the app is at ...".
    [[nodiscard]] std::string status() const;
    /// Likewise of the admin address; "" where there is none.
    [[nodiscard]] std::string admin_address() const { return admin_ ? admin_->address() : std::string(); }

  private:
    Result<bool> open(std::string effective_config);
    Result<bool> open_sockets();
    Result<bool> take_over_sockets();
    void notify_ready(const std::string& news);
    Result<bool> reload();
    Result<bool> read_and_change();
    Result<bool> change_to(Configuration configuration);
    void change_listening(ListeningSet::Change change);
    void accept_from(Listening& listening);
    void put_in_force(std::shared_ptr<proxy::Plan> plan);
    void let_log_go(std::shared_ptr<proxy::LogWriter> log);
    static void on_farewell(void* server, Time now);
    void ask_servers(std::unique_ptr<net::Resolver> resolver);
    void on_adopted(const std::shared_ptr<proxy::Plan>& plan, size_t worker,
                    std::shared_ptr<const proxy::Metrics> figures);
    [[nodiscard]] Result<std::unique_ptr<net::Resolver>> make_resolver(const std::shared_ptr<proxy::Plan>&);
    void start_resolver(std::unique_ptr<net::Resolver> resolver);
    Result<bool> open_admin(std::string effective_config);
    Result<bool> start_workers();
    void start_checks();
    void start_watchdog();
    static void on_tick(void* server);
    void on_connect_failed(const std::optional<Endpoint>& server);
    void on_resolved(const std::string& name, size_t server, const net::Resolution&);
    void wait_for_addresses();
    void on_accept_ended();
    void on_worker_ended();
    void on_signal(int signal);
    void begin_drain();

    [[nodiscard]] const config::Settings& settings() const { return plan_->settings; }
    [[nodiscard]] size_t worker_count() const { return plan_->around.workers; }

    const ReadAgain read_again_;
    std::shared_ptr<proxy::Plan> plan_;
    MemoryBudget budget_;
    proxy::ConnectionGate gate_;
    ListeningSet listening_;
    std::vector<std::unique_ptr<Worker>> workers_;

    std::mutex resolved_mutex_;
    std::condition_variable resolved_;
    size_t unresolved_ = 0;                    ///< servers not looked up yet
    std::vector<std::string> resolve_errors_;  ///< the last one of each server: a change is logged once

    net::Loop loop_;
    net::Mailbox control_;
    net::Signals signals_;
    std::unique_ptr<FrontDoor> front_door_;
    std::vector<std::shared_ptr<proxy::LogWriter>> former_logs_;  ///< of plans that are not over yet
    std::vector<std::future<void>> farewells_;                    ///< of threads that write their last lines
    Timer farewell_timer_;
    std::unique_ptr<proxy::ProberSet> probers_;  ///< none without `health.path`, and none while draining
    std::vector<std::shared_ptr<const proxy::Metrics>>
        adopted_;  ///< under the plan, by worker; null: not yet
    size_t deaf_workers_ = 0;
    size_t ended_workers_ = 0;
    bool draining_ = false;
    std::unique_ptr<net::Resolver> resolver_;
    std::optional<Overview> overview_;  ///< none where there is no admin address
    std::unique_ptr<AdminListener> admin_;
    std::optional<Watchdog> watchdog_;  ///< none where nobody watches
};

/// Before any thread is started: signals go to the control thread alone, and a peer that has left raises
/// none.
void prepare_process();

}  // namespace weir::app
