// The servers of the app as one worker sees them, and the choice among them.
#pragma once

#include <bitset>
#include <memory>
#include <vector>

#include "config/settings.h"
#include "policy/balancer.h"
#include "proxy/upstream_pool.h"
#include "proxy/visit.h"

namespace weir::proxy {

/// Servers that have failed this request.
using TriedServers = std::bitset<256>;

struct Leased {
    Visit visit;
    Lease lease;  ///< ends first
};

/// Thread: its worker's.
class UpstreamSet {
  public:
    UpstreamSet(Kit& kit, uint64_t random);

    /// The kit has another plan, and other figures. Pools of servers that stay keep their connections; of
    /// the others, those in use end with their requests.
    void adopt();

    /// Fails with `upstream_unavailable` where no server may be asked.
    Result<Leased, Error> lease(UpstreamUser&, UpstreamPool::Want, TriedServers& tried);
    /// How often a request whose connect failed may be tried: every address of every server once, within
    /// reason.
    [[nodiscard]] size_t max_connects() const;

    void set_addresses(size_t server, std::vector<net::SocketAddress> addresses);
    void sweep(Time now);
    void close_idle();
    [[nodiscard]] const std::vector<std::unique_ptr<UpstreamPool>>& pools() const { return pools_; }

  private:
    [[nodiscard]] std::optional<Visit> choose(const TriedServers& tried, Time now);
    [[nodiscard]] std::optional<Visit> enter(size_t server, Time now);
    [[nodiscard]] uint64_t next_random();

    [[nodiscard]] std::unique_ptr<UpstreamPool> take_pool(const config::Server& server);
    void make_pools();

    Kit& kit_;
    policy::Balancer balancer_;
    uint64_t random_;
    std::vector<std::unique_ptr<UpstreamPool>> pools_;
    std::vector<std::unique_ptr<UpstreamPool>> former_;  ///< of servers that are no longer there
    ServerFigures former_figures_;                       ///< which nobody reads
    std::vector<policy::Candidate> candidates_;          ///< scratch
};

}  // namespace weir::proxy
