#include "proxy/upstream_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/fleet.h"
#include "proxy/kit.h"

namespace weir::proxy {

namespace {

using Standing = policy::Candidate::Standing;

constexpr size_t kMostConnects = 4;

}  // namespace

UpstreamSet::UpstreamSet(Kit& kit, uint64_t random)
    : kit_(kit),
      balancer_(kit.settings().upstream.balance, kit.settings().upstream.servers.size(), random),
      random_(random | 1) {
    make_pools();
}

void UpstreamSet::make_pools() {
    const auto& servers = kit_.settings().upstream.servers;
    for (size_t index = 0; index < servers.size(); ++index) {
        const Fleet& fleet = *kit_.plan().fleet;
        UpstreamPool::Lead lead{
            .address = servers[index].address, .tls = fleet.tls(index), .berths = fleet.berths(index)};
        ServerFigures& figures = kit_.metrics->server(index);
        pools_.push_back(take_pool(servers[index]));
        if (pools_.back()) {
            pools_.back()->settle(kit_.settings().upstream.pool, std::move(lead), figures);
        } else {
            pools_.back() = std::make_unique<UpstreamPool>(kit_, std::move(lead), figures);
        }
    }
    candidates_.resize(pools_.size());
}

std::unique_ptr<UpstreamPool> UpstreamSet::take_pool(const config::Server& server) {
    for (auto& pool : former_) {
        if (!pool->leads_to(server)) continue;
        std::swap(pool, former_.back());
        auto taken = std::move(former_.back());
        former_.pop_back();
        return taken;
    }
    return nullptr;
}

void UpstreamSet::adopt() {
    std::move(pools_.begin(), pools_.end(), std::back_inserter(former_));
    pools_.clear();
    make_pools();
    for (auto& pool : former_) {
        pool->settle({}, pool->lead(), former_figures_);
        pool->close_idle();
    }
    balancer_ = policy::Balancer(kit_.settings().upstream.balance, pools_.size(), next_random());
}

/// xorshift64 (G. Marsaglia, "Xorshift RNGs", 2003): it decides ties, nothing that anybody could exploit.
uint64_t UpstreamSet::next_random() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_;
}

std::optional<Visit> UpstreamSet::choose(const TriedServers& tried, Time now) {
    Fleet& fleet = *kit_.plan().fleet;
    for (size_t index = 0; index < pools_.size(); ++index) {
        policy::Candidate& candidate = candidates_[index] = fleet.candidate(index, now);
        candidate.is_tried = tried[index];
        if (candidate.standing == Standing::in && pools_[index]->is_suspect(now))
            candidate.standing = Standing::suspect;
    }
    // A server that is being probed, or has just become full, turns this request away: then another one is
    // chosen.
    for (size_t tries = 0; tries < pools_.size(); ++tries) {
        const policy::Choice choice = balancer_.choose(candidates_, next_random());
        if (choice.kind != policy::Choice::Kind::server) return std::nullopt;
        if (auto visit = enter(choice.server, now)) return visit;
        candidates_[choice.server].standing = Standing::out;
    }
    return std::nullopt;
}

std::optional<Visit> UpstreamSet::enter(size_t server, Time now) {
    Fleet& fleet = *kit_.plan().fleet;
    if (!fleet.enter(server)) return std::nullopt;
    Visit visit(kit_.plans.pin(), server);
    auto attempt = fleet.ejections().enter(server, now);
    if (!attempt) return std::nullopt;
    visit.begin(std::move(*attempt));
    return visit;
}

Result<Leased, Error> UpstreamSet::lease(UpstreamUser& user, UpstreamPool::Want want, TriedServers& tried) {
    const Time now = kit_.loop.now();
    auto visit = choose(tried, now);
    if (!visit) {
        kit_.on_connect_failed(std::nullopt);  // their checks are hurried while requests wait for them
        return fail(Error{.reason = http::Reason::upstream_unavailable,
                          .retry = Retry::no,
                          .detail = "no server of the app can take requests"});
    }
    const size_t server = visit->server();
    tried.set(server);
    return Leased{.visit = std::move(*visit), .lease = pools_[server]->lease(user, want)};
}

size_t UpstreamSet::max_connects() const {
    size_t addresses = 0;
    for (const auto& pool : pools_) addresses += pool->address_count();
    return std::clamp<size_t>(addresses, 1, kMostConnects);
}

void UpstreamSet::set_addresses(size_t server, std::vector<net::SocketAddress> addresses) {
    pools_[server]->set_addresses(std::move(addresses));
}

void UpstreamSet::sweep(Time now) {
    for (auto& pool : pools_) pool->sweep(now);
    // Log lines of exchanges that began under another plan still name them.
    if (kit_.plans.size() == 1) std::erase_if(former_, [](const auto& pool) { return pool->is_empty(); });
}

void UpstreamSet::close_idle() {
    for (auto& pool : pools_) pool->close_idle();
}

}  // namespace weir::proxy
