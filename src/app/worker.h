// One thread that serves clients: its loop, its connections, its pools.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/endpoint.h"
#include "config/settings.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/mailbox.h"
#include "proxy/abandoned.h"
#include "proxy/client_set.h"
#include "proxy/fleet.h"
#include "proxy/hold.h"
#include "proxy/kit.h"
#include "proxy/upstream_set.h"

namespace weir::app {

/// What all workers share. What it refers to outlives them.
struct Shared {
    std::shared_ptr<proxy::Plan> plan;
    MemoryBudget& budget;
    proxy::ConnectionGate& gate;
    /// Any thread; to which server, or to all of them.
    std::function<void(const std::optional<Endpoint>&)> on_connect_failed;
    std::function<void()> on_accept_ended;  ///< any thread: this worker needs the listening sockets no more
    std::function<void()> on_worker_ended;  ///< any thread
};

/// Made and destroyed by the control thread; its public calls may come from any.
class Worker {
  public:
    /// `index`: which of `shared.workers` it is.
    Worker(const Shared& shared, size_t index, std::array<uint64_t, 3> random);
    ~Worker();  ///< waits for the thread
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Both outlive it, or its stop. A second call for a socket replaces its entrance.
    void accept_from(const net::Fd& socket, proxy::SharedEntrance entrance);
    /// Who waits in the socket's queue is still taken; then `on_stopped` is called, by the worker.
    void stop_accepting(const net::Fd& socket, std::function<void()> on_stopped);
    /// Requests that begin from now on go by the plan. `on_adopted` is told of the figures that the worker
    /// counts in from then on, by the worker.
    using OnAdopted = std::function<void(std::shared_ptr<const proxy::Metrics>)>;
    void adopt(std::shared_ptr<proxy::Plan> plan, OnAdopted on_adopted);
    void set_addresses(size_t server, std::vector<net::SocketAddress> addresses);
    /// A server's checks have brought it up.
    void on_server_up();
    /// Accepts nothing more, finishes what runs, then ends; by `bound` it ends anyway.
    void drain(Duration bound);
    void stop_now();
    /// Those of the first plan, before adopt() is called: later ones are told to who calls that. Any thread
    /// may read them, and what the next two give.
    [[nodiscard]] std::shared_ptr<const proxy::Metrics> metrics() const { return kit_->metrics; }
    [[nodiscard]] const proxy::NotableRequests& notable_requests() const { return kit_->notable_requests; }
    [[nodiscard]] const proxy::ClientBook& client_book() const { return kit_->client_book; }
    /// When its loop last came round; kNever once it has ended. Any thread may ask.
    [[nodiscard]] Time last_tick() const { return last_tick_.load(std::memory_order_relaxed); }

  private:
    static void on_tick(void* worker);
    void begin_drain(Duration bound);
    void end();

    net::Loop loop_;
    net::Mailbox mailbox_;
    std::unique_ptr<proxy::Kit> kit_;
    proxy::UpstreamSet upstreams_;
    proxy::Hold hold_;
    proxy::Abandoned abandoned_;
    proxy::ClientSet clients_;
    std::function<void()> on_accept_ended_;
    std::function<void()> on_ended_;
    bool ended_ = false;
    std::map<const net::Fd*, std::unique_ptr<net::Listener>> listeners_;
    std::atomic<Time> last_tick_;
    Time next_sweep_{};
    Time drain_deadline_ = kNever;
    std::thread thread_;
};

}  // namespace weir::app
