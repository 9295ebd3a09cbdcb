// What all workers and the health checks know of the app's servers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/settings.h"
#include "policy/balancer.h"
#include "policy/ejection.h"
#include "policy/health_check.h"
#include "policy/retry_budget.h"
#include "proxy/berths.h"
#include "proxy/server_tls.h"

namespace weir::proxy {

/// Whether they lead to the same place in the same way.
[[nodiscard]] bool is_same(const config::Server& a, const config::Server& b);

/// One for all workers; any thread, but set_health(), which belongs to whoever asks the servers. Servers are
/// numbered as the configuration lists them.
class Fleet {
  public:
    using Health = policy::HealthCheck::State;

    using Tls = std::shared_ptr<const net::TlsClientContext>;

    /// There has to be `tls` where a server has https. `before`: the fleet that holds now; of a server that
    /// stays, what the checks say and who is inside are shared.
    Fleet(const config::Settings& settings, size_t workers, const Tls& tls = nullptr,
          const Fleet* before = nullptr);
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    [[nodiscard]] size_t size() const { return servers_.size(); }
    [[nodiscard]] const config::Server& server(size_t index) const { return servers_[index]; }

    /// Null for a server that is spoken to in plain.
    [[nodiscard]] const std::shared_ptr<ServerTls>& tls(size_t server) const { return tls_[server]; }

    /// What the checks of a server have found. Where none are made it stays `unknown`.
    void set_health(size_t server, Health health, Time now);
    [[nodiscard]] Health health(size_t server) const {
        return states_[server]->health.load(std::memory_order_relaxed);
    }
    /// How many checks of a server have ended so.
    void count_check(size_t server, policy::CheckResult result) {
        states_[server]->checks[static_cast<size_t>(result)].fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] uint64_t checks(size_t server, policy::CheckResult result) const {
        return states_[server]->checks[static_cast<size_t>(result)].load(std::memory_order_relaxed);
    }
    /// Whether the app may be said to be ready: a server is up, or no server is asked and so none known to be
    /// down.
    [[nodiscard]] bool is_ready() const;
    /// Whether the checks have found every server down.
    [[nodiscard]] bool is_down() const;

    /// No connection to a server could be opened, or one was. True: the operator has not been told so yet,
    /// and is to be. Where servers are asked, the checks tell.
    [[nodiscard]] bool note_unreachable(size_t server, Time now);
    [[nodiscard]] bool note_reached(size_t server);
    /// As far as requests have found. Where servers are asked: false.
    [[nodiscard]] bool is_unreachable(size_t server) const {
        return !is_checked_ && states_[server]->is_unreachable.load(std::memory_order_relaxed);
    }

    /// The room for connections to a server, of all workers. Never null.
    [[nodiscard]] const std::shared_ptr<Berths>& berths(size_t server) const {
        return states_[server]->berths;
    }
    /// The plan with these settings holds: as many connections to a server as requests may be inside it, by
    /// the global cap and by its own. A cap of a route bounds none, since others may take the rest, nor does
    /// one in shadow mode. Checks and tunnels are not counted.
    void bound_connections(const config::Settings& settings);

    /// A request is inside a server from its lease to the end of that. False: the server is full.
    [[nodiscard]] bool enter(size_t server);
    void leave(size_t server) { states_[server]->in_flight.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] uint32_t in_flight(size_t server) const {
        return states_[server]->in_flight.load(std::memory_order_relaxed);
    }

    /// As it stands for a request that looks for a server; of what one worker knows alone (refused
    /// connections, what was tried) nothing is filled in.
    [[nodiscard]] policy::Candidate candidate(size_t server, Time now) const;

    /// How many requests the servers that are in may take at once; nothing where one of them has no cap.
    [[nodiscard]] std::optional<uint32_t> room(Time now) const;

    [[nodiscard]] policy::Ejections& ejections() { return ejections_; }
    [[nodiscard]] policy::RetryBudget& budget() { return budget_; }

  private:
    struct State;
    [[nodiscard]] std::shared_ptr<State> state_of(const config::Server&) const;

    struct State {
        std::atomic<Health> health{Health::unknown};
        std::atomic<Time> came_back{Time::min()};  ///< Time::min(): it was never down
        std::atomic<uint32_t> in_flight{0};
        std::atomic<bool> is_unreachable{false};
        std::atomic<bool> is_told_unreachable{false};        ///< the operator knows
        std::atomic<Time> told_unreachable_at{Time::min()};  ///< Time::min(): never
        std::array<std::atomic<uint64_t>, policy::kCheckResults> checks{};
        const std::shared_ptr<Berths> berths = std::make_shared<Berths>();
    };

    const std::vector<config::Server> servers_;
    const bool is_checked_;                       ///< servers are asked how they are
    std::vector<std::shared_ptr<State>> states_;  ///< never null
    std::vector<std::shared_ptr<ServerTls>> tls_;
    policy::Ejections ejections_;
    policy::RetryBudget budget_;
};

}  // namespace weir::proxy
