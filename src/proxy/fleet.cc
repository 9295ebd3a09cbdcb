#include "proxy/fleet.h"

#include <algorithm>
#include <cassert>

namespace weir::proxy {

namespace {

/// A server that takes some connections and refuses others fills no log.
constexpr Duration kBetweenTellings = std::chrono::seconds(10);

std::shared_ptr<ServerTls> tls_to(const config::Server& server, const config::Upstream& upstream,
                                  const Fleet::Tls& context) {
    if (!server.is_tls) return nullptr;
    assert(context != nullptr);
    const std::string& name = upstream.tls.server_name;
    return std::make_shared<ServerTls>(context, to_string(server.address),
                                       name.empty() ? server.address.host : name);
}

uint32_t bound_of_connections(const config::ScopeLimits& limits, const config::Server& server) {
    size_t bound = server.max_in_flight.value_or(Berths::kUnbounded);
    if (limits.mode == config::Mode::enforce)
        bound = std::min(bound, limits.concurrency.value_or(Berths::kUnbounded));
    return static_cast<uint32_t>(bound);
}

}  // namespace

bool is_same(const config::Server& a, const config::Server& b) {
    return a.address == b.address && a.is_tls == b.is_tls;
}

Fleet::Fleet(const config::Settings& settings, size_t workers, const Tls& tls, const Fleet* before)
    : servers_(settings.upstream.servers),
      is_checked_(!settings.health.path.empty()),
      ejections_(settings.health.passive, servers_.size()),
      budget_(settings.upstream.retry.budget_percent, workers) {
    for (const config::Server& server : servers_) {
        tls_.push_back(tls_to(server, settings.upstream, tls));
        auto former = before == nullptr ? nullptr : before->state_of(server);
        states_.push_back(former ? std::move(former) : std::make_shared<State>());
    }
    for (size_t index = 0; index < servers_.size(); ++index)
        ejections_.set_down(index, health(index) == Health::down, Time{});
}

/// Null where it is not one of these.
std::shared_ptr<Fleet::State> Fleet::state_of(const config::Server& wanted) const {
    for (size_t index = 0; index < servers_.size(); ++index)
        if (is_same(servers_[index], wanted)) return states_[index];
    return nullptr;
}

void Fleet::bound_connections(const config::Settings& settings) {
    for (size_t index = 0; index < servers_.size(); ++index)
        states_[index]->berths->set_bound(bound_of_connections(settings.limits, servers_[index]));
}

/// Exact, over all workers: two that find room for one would be one too many.
bool Fleet::enter(size_t server) {
    std::atomic<uint32_t>& in_flight = states_[server]->in_flight;
    const std::optional<size_t>& cap = servers_[server].max_in_flight;
    if (!cap) {
        in_flight.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    uint32_t inside = in_flight.load(std::memory_order_relaxed);
    do {
        if (inside >= *cap) return false;
    } while (!in_flight.compare_exchange_weak(inside, inside + 1, std::memory_order_relaxed));
    return true;
}

void Fleet::set_health(size_t server, Health health, Time now) {
    State& state = *states_[server];
    const Health before = state.health.exchange(health, std::memory_order_relaxed);
    if (before == Health::down && health == Health::up) state.came_back.store(now, std::memory_order_relaxed);
    ejections_.set_down(server, health == Health::down, now);
}

bool Fleet::note_unreachable(size_t server, Time now) {
    State& state = *states_[server];
    if (is_checked_) return false;
    state.is_unreachable.store(true, std::memory_order_relaxed);
    if (state.is_told_unreachable.load(std::memory_order_relaxed)) return false;
    const Time told_at = state.told_unreachable_at.load(std::memory_order_relaxed);
    if (told_at != Time::min() && now - told_at < kBetweenTellings) return false;
    if (state.is_told_unreachable.exchange(true, std::memory_order_relaxed)) return false;
    state.told_unreachable_at.store(now, std::memory_order_relaxed);
    return true;
}

bool Fleet::note_reached(size_t server) {
    State& state = *states_[server];
    if (!state.is_unreachable.load(std::memory_order_relaxed)) return false;
    state.is_unreachable.store(false, std::memory_order_relaxed);
    return state.is_told_unreachable.exchange(false, std::memory_order_relaxed);
}

bool Fleet::is_ready() const {
    if (!is_checked_) return true;
    return std::any_of(states_.begin(), states_.end(), [](const auto& state) {
        return state->health.load(std::memory_order_relaxed) == Health::up;
    });
}

bool Fleet::is_down() const {
    return std::all_of(states_.begin(), states_.end(), [](const auto& state) {
        return state->health.load(std::memory_order_relaxed) == Health::down;
    });
}

policy::Candidate Fleet::candidate(size_t server, Time now) const {
    using Standing = policy::Candidate::Standing;
    const config::Server& configured = this->server(server);
    const State& state = *states_[server];
    const bool is_out = health(server) == Health::down ||
                        ejections_.standing(server, now) == policy::Ejections::Standing::ejected;
    policy::Candidate candidate{.standing = is_out ? Standing::out : Standing::in,
                                .in_flight = in_flight(server),
                                .weight = configured.weight};
    if (configured.max_in_flight) candidate.cap = static_cast<uint32_t>(*configured.max_in_flight);
    const Time came_back = state.came_back.load(std::memory_order_relaxed);
    if (configured.slow_start && came_back != Time::min())
        candidate.share = policy::slow_start_share(now - came_back, configured.slow_start);
    return candidate;
}

std::optional<uint32_t> Fleet::room(Time now) const {
    uint32_t room = 0;
    for (size_t index = 0; index < servers_.size(); ++index) {
        const policy::Candidate candidate = this->candidate(index, now);
        if (candidate.standing == policy::Candidate::Standing::out) continue;
        if (candidate.cap == UINT32_MAX) return std::nullopt;
        room += candidate.cap;
    }
    return room;
}

}  // namespace weir::proxy
