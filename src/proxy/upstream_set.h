// The servers of the app as one worker sees them, and the choice among them.
#pragma once

#include <memory>
#include <vector>

#include "config/settings.h"
#include "proxy/upstream_pool.h"

namespace weir::proxy {

/// Thread: its worker's.
class UpstreamSet {
  public:
    UpstreamSet(Kit& kit, const config::Upstream& upstream);

    /// `tried`: the server that has just failed this request; nullptr at first. Another one is taken where
    /// there is one.
    Result<Lease, Error> lease(UpstreamUser&, UpstreamPool::Want, const UpstreamPool* tried);
    /// How often a request whose connect failed may be tried: every address of every server once, within
    /// reason.
    [[nodiscard]] size_t max_attempts() const;

    void set_addresses(size_t server, std::vector<net::SocketAddress> addresses);
    void sweep(Time now);
    void close_idle();

  private:
    UpstreamPool& choose(const UpstreamPool* tried, Time now);

    Kit& kit_;
    config::Balance balance_;
    std::vector<std::unique_ptr<UpstreamPool>> pools_;
    size_t turn_ = 0;
};

}  // namespace weir::proxy
