#include "proxy/upstream_set.h"

#include <algorithm>

#include "proxy/kit.h"

namespace weir::proxy {

namespace {
constexpr size_t kMostAttempts = 4;
}

UpstreamSet::UpstreamSet(Kit& kit, const config::Upstream& upstream) : kit_(kit), balance_(upstream.balance) {
    for (const config::Server& server : upstream.servers)
        pools_.push_back(std::make_unique<UpstreamPool>(kit, server.address, upstream.pool));
}

/// The best of those that are neither the one just tried nor refused a connection a moment ago; failing that,
/// of the others.
UpstreamPool& UpstreamSet::choose(const UpstreamPool* tried, Time now) {
    size_t start = turn_++;
    UpstreamPool* best = nullptr;
    int best_rank = 0;
    for (size_t index = 0; index < pools_.size(); ++index) {
        UpstreamPool& pool = *pools_[(start + index) % pools_.size()];
        int rank = (&pool == tried ? 2 : 0) + (pool.is_suspect(now) ? 1 : 0);
        bool is_freer =
            balance_ == config::Balance::least_in_flight && best != nullptr && pool.in_use() < best->in_use();
        if (best == nullptr || rank < best_rank || (rank == best_rank && is_freer)) {
            best = &pool;
            best_rank = rank;
        }
    }
    return *best;
}

Result<Lease, Error> UpstreamSet::lease(UpstreamUser& user, UpstreamPool::Want want,
                                        const UpstreamPool* tried) {
    return choose(tried, kit_.loop.now()).lease(user, want);
}

size_t UpstreamSet::max_attempts() const {
    size_t addresses = 0;
    for (const auto& pool : pools_) addresses += pool->address_count();
    return std::clamp<size_t>(addresses, 1, kMostAttempts);
}

void UpstreamSet::set_addresses(size_t server, std::vector<net::SocketAddress> addresses) {
    pools_[server]->set_addresses(std::move(addresses));
}

void UpstreamSet::sweep(Time now) {
    for (auto& pool : pools_) pool->sweep(now);
}

void UpstreamSet::close_idle() {
    for (auto& pool : pools_) pool->close_idle();
}

}  // namespace weir::proxy
