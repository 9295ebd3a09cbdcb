// The whole proxy: opens its sockets, runs its workers, and does what signals ask for.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/admin_listener.h"
#include "app/front_door.h"
#include "app/worker.h"
#include "base/block_pool.h"
#include "base/result.h"
#include "config/settings.h"
#include "net/mailbox.h"
#include "net/resolver.h"
#include "net/signals.h"
#include "net/tls_context.h"
#include "proxy/connection_gate.h"
#include "proxy/fleet.h"
#include "proxy/log_writer.h"
#include "proxy/prober_set.h"
#include "proxy/rules.h"

namespace weir::app {

/// Thread: the one that makes it, which becomes the control thread in run().
class Server {
    struct Private {
        explicit Private() = default;
    };

  public:
    /// For start() alone.
    Server(Private, config::Settings settings, std::unique_ptr<const net::TlsClientContext> tls);
    /// Reads the certificates to trust, opens log and sockets. The error says what could not be had.
    /// `effective_config` is what the admin address shows, as config/check_report.h writes it.
    static Result<std::unique_ptr<Server>> start(config::Settings settings,
                                                 std::string effective_config = {});
    ~Server();

    /// Until a signal ends it: SIGTERM and SIGINT drain (a second one cuts off), SIGUSR1 reopens the logs.
    void run();

    /// The addresses it listens on, ports chosen by the kernel filled in.
    [[nodiscard]] std::vector<std::string> addresses() const;
    /// Likewise of the admin address; "" where there is none.
    [[nodiscard]] std::string admin_address() const { return admin_ ? admin_->address() : std::string(); }

  private:
    Result<bool> open_sockets();
    Result<bool> open_admin(std::string effective_config);
    void start_workers();
    void start_checks();
    void on_connect_failed();
    void on_resolved(size_t server, const net::Resolution&);
    void wait_for_addresses();
    void on_accept_ended();
    void on_worker_ended();
    void on_signal(int signal);
    void begin_drain();

    config::Settings settings_;
    std::unique_ptr<const net::TlsClientContext> tls_;  ///< to the app; null where no server has https
    MemoryBudget budget_;
    proxy::ConnectionGate gate_;
    proxy::Rules rules_;
    proxy::Fleet fleet_;
    std::unique_ptr<proxy::LogWriter> log_writer_;
    std::vector<std::vector<net::Fd>> sockets_;  ///< of each address, one a worker where it can be
    std::vector<net::SocketFile> socket_files_;
    std::vector<std::unique_ptr<Worker>> workers_;

    std::mutex resolved_mutex_;
    std::condition_variable resolved_;
    size_t unresolved_ = 0;                    ///< servers not looked up yet
    std::vector<std::string> resolve_errors_;  ///< the last one of each server: a change is logged once

    net::Loop loop_;
    net::Mailbox control_;
    net::Signals signals_;
    std::unique_ptr<FrontDoor> front_door_;
    std::unique_ptr<proxy::ProberSet> probers_;  ///< none without `health.path`, and none while draining
    size_t deaf_workers_ = 0;
    size_t ended_workers_ = 0;
    bool draining_ = false;
    std::unique_ptr<net::Resolver> resolver_;
    std::optional<Overview> overview_;  ///< none where there is no admin address
    std::unique_ptr<AdminListener> admin_;
};

/// Before any thread is started: signals go to the control thread alone, and a peer that has left raises
/// none.
void prepare_process();

}  // namespace weir::app
