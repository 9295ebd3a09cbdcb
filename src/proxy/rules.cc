#include "proxy/rules.h"

#include <algorithm>
#include <cassert>

#include "http/rate_limit_fields.h"
#include "proxy/access_record.h"

namespace weir::proxy {

namespace {

policy::KeyPart::Kind kind_of(config::KeyPart::Kind kind) {
    using From = config::KeyPart::Kind;
    using To = policy::KeyPart::Kind;
    switch (kind) {
        case From::client: return To::client;
        case From::ip: return To::ip;
        case From::header: return To::header;
        case From::cookie: return To::cookie;
        case From::route: return To::route;
        case From::all: return To::ip;  // not reached: `all` stands alone and is the empty key
    }
    return To::ip;
}

policy::RateRule::Limit limit_of(const config::Rate& rate) {
    return {.rate = {.count = rate.quota.limit, .window = rate.quota.window}, .burst = rate.burst};
}

/// A bucket is announced by how much it holds and how long it takes to fill.
http::RateLimitPolicy policy_of(const RateGate& gate) {
    const policy::RateRule::Limit& limit = gate.rule.limit();
    if (!limit.burst) return {.name = gate.name, .quota = limit.rate.count, .window = limit.rate.window};
    auto fill = std::chrono::duration<double, std::nano>(limit.rate.window) * *limit.burst / limit.rate.count;
    return {.name = gate.name, .quota = *limit.burst, .window = std::chrono::duration_cast<Duration>(fill)};
}

policy::ConcurrencyLimits limits_of(const config::ScopeLimits& limits, size_t queue_bytes) {
    auto bound = [](const std::optional<size_t>& count) {
        return count ? static_cast<uint32_t>(*count) : policy::ConcurrencyLimits::kUnbounded;
    };
    // How long one may wait is said by each arrival: routes of a group may differ in it.
    return {.slots = bound(limits.concurrency),
            .per_client = bound(limits.per_client_concurrency),
            .queue = {.entries = limits.queue.size, .bytes = queue_bytes},
            .wait = Duration::max()};
}

/// Nobody is refused by a cap that does not exist.
size_t room_of(const config::ScopeLimits& limits) {
    return limits.concurrency ? *limits.concurrency + limits.queue.size : SIZE_MAX;
}

}  // namespace

ConcurrencyGate::ConcurrencyGate(std::string name_, const config::ScopeLimits& limits, size_t queue_bytes)
    : name(std::move(name_)),
      mode(limits.mode),
      group(limits_of(limits, queue_bytes)),
      shadow(room_of(limits)) {}

policy::KeySpec key_of(const config::Key& key, const config::Key& client) {
    policy::KeySpec spec;
    for (const config::KeyPart& part : key) {
        if (part.kind == config::KeyPart::Kind::all) return {};
        if (part.kind == config::KeyPart::Kind::client) {
            for (const policy::KeyPart& each : key_of(client, {})) spec.push_back(each);
        } else {
            spec.push_back({.kind = kind_of(part.kind), .name = part.name});
        }
    }
    return spec;
}

ConcurrencyGate::ConcurrencyGate(std::string name_, const policy::ConcurrencyLimits& limits)
    : name(std::move(name_)), mode(config::Mode::enforce), group(limits), shadow(SIZE_MAX) {}

RateGate::RateGate(const config::Rate& rate, policy::KeyMaker key_of_request, size_t keys)
    : name(rate.name),
      mode(rate.mode),
      is_mode_own(rate.mode.is_own),
      cost(rate.cost),
      key(std::move(key_of_request)),
      rule(limit_of(rate), keys) {}

Rules::Rules(const config::Settings& settings, const HashSeed& seed)
    : settings_(settings),
      seed_(seed),
      client_key_(key_of(settings.clients.key, {}), settings.clients.ipv6_prefix_bits, seed),
      routes_(settings.routes) {
    std::vector<RateGate*> global = make_gates(settings.limits.rates, settings.limits.keys);
    for (RateGate* gate : make_gates(settings.shadow, settings.limits.keys)) global.push_back(gate);
    ConcurrencyGate* global_cap = make_cap("concurrency", settings.limits);
    make_server_cap();
    const Duration wait_for_servers =
        settings.limits.queue.size > 0 ? Duration(settings.limits.queue.wait) : settings.upstream.hold;
    scopes_.push_back(make_scope(global));
    add_cap(scopes_.back(), global_cap, settings.limits.queue.wait);
    add_cap(scopes_.back(), server_cap_, wait_for_servers);
    scopes_.back().total = settings.timeout.total;
    scopes_.back().body_bytes = settings.limits.body_bytes;
    for (const config::Route& route : settings.routes) {
        std::vector<RateGate*> gates = route.limits.is_exempt ? std::vector<RateGate*>() : global;
        for (RateGate* own : make_gates(route.limits.rates, route.limits.keys)) gates.push_back(own);
        Scope scope = make_scope(gates);
        scope.route = &route;
        scope.number = static_cast<uint32_t>(scopes_.size());
        scope.total = route.timeout_total;
        scope.body_bytes = route.limits.body_bytes;
        add_route_cap(scope, route);
        add_cap(scope, global_cap, settings.limits.queue.wait);
        add_cap(scope, server_cap_, wait_for_servers);
        scopes_.push_back(std::move(scope));
    }
}

std::vector<RateGate*> Rules::make_gates(const std::vector<config::Rate>& rates, size_t keys) {
    std::vector<RateGate*> made;
    for (const config::Rate& rate : rates) {
        if (rate.mode == config::Mode::off) continue;
        policy::KeyMaker key(key_of(rate.key, settings_.clients.key), settings_.clients.ipv6_prefix_bits,
                             seed_);
        gates_.push_back(std::make_unique<RateGate>(rate, std::move(key), keys));
        made.push_back(gates_.back().get());
    }
    return made;
}

/// Requests that find every server full wait for one that is not: in a queue as long as the global one or,
/// without one, as that for an app which restarts.
void Rules::make_server_cap() {
    uint32_t room = 0;
    bool is_capped = false;
    bool is_open = false;
    for (const config::Server& server : settings_.upstream.servers) {
        is_capped = is_capped || server.max_in_flight;
        is_open = is_open || !server.max_in_flight;
        room += static_cast<uint32_t>(server.max_in_flight.value_or(0));
    }
    if (!is_capped) return;
    const size_t queue = settings_.limits.queue.size;
    server_limits_ = {
        .slots = is_open ? policy::ConcurrencyLimits::kUnbounded : room,
        .queue = {.entries = queue > 0 ? queue : kDefaultPlaces, .bytes = settings_.limits.memory_bytes / 2},
        .wait = Duration::max()};
    caps_.push_back(std::make_unique<ConcurrencyGate>("servers", server_limits_));
    server_cap_ = caps_.back().get();
}

void Rules::set_server_room(std::optional<uint32_t> room, Time now) {
    const uint32_t slots = room.value_or(policy::ConcurrencyLimits::kUnbounded);
    if (server_cap_ == nullptr || slots == server_limits_.slots) return;
    server_limits_.slots = slots;
    server_cap_->group.set_limits(server_limits_, now);
}

/// nullptr where nothing is capped.
ConcurrencyGate* Rules::make_cap(std::string name, const config::ScopeLimits& limits) {
    const bool caps = limits.concurrency || limits.per_client_concurrency;
    if (!caps || limits.mode == config::Mode::off) return nullptr;
    // Half of all memory: requests that are inside the app need theirs too.
    caps_.push_back(
        std::make_unique<ConcurrencyGate>(std::move(name), limits, settings_.limits.memory_bytes / 2));
    return caps_.back().get();
}

void Rules::add_route_cap(Scope& scope, const config::Route& route) {
    const config::RouteLimits& limits = route.limits;
    const std::string& owner = limits.group.empty() ? route.name : limits.group;
    if (limits.group.empty())
        return add_cap(scope, make_cap(owner + "-concurrency", limits), limits.queue.wait);
    auto [group, is_new] = groups_.try_emplace(limits.group, nullptr);
    if (is_new) group->second = make_cap(owner + "-concurrency", limits);
    add_cap(scope, group->second, limits.queue.wait);
}

void Rules::add_cap(Scope& scope, ConcurrencyGate* gate, Duration wait) const {
    if (gate == nullptr) return;
    if (gate->mode == config::Mode::shadow) {
        scope.shadow_caps.push_back(gate);
        scope.shadow_names.push_back(gate->name);
    } else {
        scope.caps.push_back({.gate = gate, .wait = wait});
    }
}

Scope Rules::make_scope(const std::vector<RateGate*>& gates) {
    Scope scope;
    std::vector<http::RateLimitPolicy> policies;
    for (RateGate* gate : gates) {
        bool is_shadow = gate->mode == config::Mode::shadow;
        (is_shadow ? scope.shadowed : scope.enforced).push_back(gate);
        if (!is_shadow) policies.push_back(policy_of(*gate));
    }
    auto own = std::stable_partition(scope.shadowed.begin(), scope.shadowed.end(),
                                     [](const RateGate* gate) { return !gate->is_mode_own; });
    scope.shadowed_together = static_cast<size_t>(own - scope.shadowed.begin());
    for (const RateGate* gate : scope.shadowed) scope.shadow_names.push_back(gate->name);
    assert(scope.shadowed.size() <= kMostShadows);
    scope.policies = http::rate_limit_policies(policies);
    return scope;
}

}  // namespace weir::proxy
