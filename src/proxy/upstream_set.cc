#include "proxy/upstream_set.h"

#include <algorithm>

#include "proxy/kit.h"

namespace weir::proxy {

namespace {
constexpr size_t kMostAttempts = 4;
}

UpstreamSet::UpstreamSet(Kit& kit, const config::Upstream& upstream) : kit_(kit), balance_(upstream.balance) {
    for (const config::Server& server : upstream.servers)
        pools_.push_back(std::make_unique<UpstreamPool>(kit, server.address, upstream.pool, pools_.size()));
}

/// The best of those that are neither the one just tried nor refused a connection a moment ago; failing that,
/// of the others.
UpstreamPool& UpstreamSet::choose(const UpstreamPool* tried, Time now) {
    size_t start = turn_++;
    auto rank_of = [&](const UpstreamPool& pool) {
        return (&pool == tried ? 2 : 0) + (pool.is_suspect(now) ? 1 : 0);
    };
    UpstreamPool* best = pools_[start % pools_.size()].get();
    for (size_t index = 1; index < pools_.size(); ++index) {
        UpstreamPool* other = pools_[(start + index) % pools_.size()].get();
        bool is_freer = balance_ == config::Balance::least_in_flight && other->in_use() < best->in_use();
        int difference = rank_of(*other) - rank_of(*best);
        if (difference < 0 || (difference == 0 && is_freer)) best = other;
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
