#include "proxy/upstream_set.h"

#include <algorithm>

namespace weir::proxy {

namespace {
constexpr size_t kMostAttempts = 4;
}

UpstreamSet::UpstreamSet(Kit& kit, const config::Upstream& upstream) : balance_(upstream.balance) {
    for (const config::Server& server : upstream.servers)
        pools_.push_back(std::make_unique<UpstreamPool>(kit, server.address, upstream.pool));
}

UpstreamPool& UpstreamSet::choose(size_t attempt) {
    if (pools_.size() == 1) return *pools_.front();
    if (attempt > 0 || balance_ == config::Balance::round_robin) return *pools_[turn_++ % pools_.size()];
    size_t start = turn_++;
    UpstreamPool* best = nullptr;
    for (size_t index = 0; index < pools_.size(); ++index) {
        UpstreamPool& pool = *pools_[(start + index) % pools_.size()];
        if (best == nullptr || pool.in_use() < best->in_use()) best = &pool;
    }
    return *best;
}

Result<Lease, Error> UpstreamSet::lease(UpstreamUser& user, UpstreamPool::Want want, size_t attempt) {
    return choose(attempt).lease(user, want);
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
