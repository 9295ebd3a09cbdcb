#include "proxy/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "http/rate_limit_fields.h"
#include "proxy/access_record.h"

namespace weir::proxy {

namespace {

policy::KeyPart::Kind kind_of(config::KeyPart::Kind kind) {
    using From = config::KeyPart::Kind;
    using To = policy::KeyPart::Kind;
    switch (kind) {
        case From::ip: return To::ip;
        case From::header: return To::header;
        case From::cookie: return To::cookie;
        case From::route: return To::route;
        case From::client:
        case From::all: return To::ip;  // not reached: key_of() puts others in the place of both
    }
    return To::ip;
}

policy::RateRule::Limit limit_of(const config::Rate& rate) {
    return {.rate = {.count = rate.quota.limit, .window = rate.quota.window}, .burst = rate.burst};
}

/// A bucket is announced by how much it holds and how long it takes to fill.
http::RateLimitPolicy policy_of(const RateGate& gate) {
    const policy::RateRule::Limit& limit = gate.rule->limit();
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

size_t room_of(const config::ScopeLimits& limits) {
    return limits.concurrency ? *limits.concurrency + limits.queue.size : SIZE_MAX;
}

}  // namespace

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

Rules::Rules(const config::Settings& settings, const HashSeed& seed, const Rules* before)
    : settings_(settings),
      seed_(seed),
      before_(before),
      client_key_(key_of(settings.clients.key, {}), settings.clients.ipv6_prefix_bits, seed),
      routes_(settings.routes) {
    std::vector<RateGate*> global = make_gates(settings.limits.rates, settings.limits.keys, "");
    for (RateGate* gate : make_gates(settings.shadow, settings.limits.keys, "")) global.push_back(gate);
    ConcurrencyGate* global_cap = make_cap("all", "concurrency", settings.limits);
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
        for (RateGate* own : make_gates(route.limits.rates, route.limits.keys, route.name))
            gates.push_back(own);
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
    find_lifted();
    before_ = nullptr;
}

/// Everything that the counts in its table depend on.
std::string Rules::memory_of(const config::Rate& rate, size_t keys, std::string_view owner) const {
    const policy::KeySpec key = key_of(rate.key, settings_.clients.key);
    std::string text = fmt::format("{}\n{}\n{} in {} of {} for {} keys by {} /{}", owner, rate.name,
                                   rate.quota.limit, rate.quota.window.count(), rate.burst.value_or(0), keys,
                                   policy::format_key(key), settings_.clients.ipv6_prefix_bits);
    const auto is_route = [](const policy::KeyPart& part) {
        return part.kind == policy::KeyPart::Kind::route;
    };
    // Keys hold the route's number.
    if (std::any_of(key.begin(), key.end(), is_route))
        for (const config::Route& route : settings_.routes) text += "\n" + route.name;
    return text;
}

/// Null where nothing remembers the same.
std::shared_ptr<policy::RateRule> Rules::remembered(const RateGate& gate) const {
    for (size_t index = 0; before_ != nullptr && index < before_->gates_.size(); ++index)
        if (before_->gates_[index]->memory == gate.memory) return before_->gates_[index]->rule;
    return nullptr;
}

std::vector<RateGate*> Rules::make_gates(const std::vector<config::Rate>& rates, size_t keys,
                                         std::string_view owner) {
    std::vector<RateGate*> made;
    for (const config::Rate& rate : rates) {
        if (rate.mode == config::Mode::off) continue;
        policy::KeySpec spec = key_of(rate.key, settings_.clients.key);
        const bool is_by_client = spec == client_key_.spec();
        policy::KeyMaker key(std::move(spec), settings_.clients.ipv6_prefix_bits, seed_);
        gates_.push_back(std::make_unique<RateGate>(RateGate{.memory = memory_of(rate, keys, owner),
                                                             .name = rate.name,
                                                             .mode = rate.mode,
                                                             .is_mode_own = rate.mode.is_own,
                                                             .cost = rate.cost,
                                                             .key = std::move(key),
                                                             .is_by_client = is_by_client,
                                                             .rule = nullptr}));
        gates_.back()->rule = remembered(*gates_.back());
        if (!gates_.back()->rule)
            gates_.back()->rule = std::make_shared<policy::RateRule>(limit_of(rate), keys);
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
    server_cap_ = add_gate({.owner = "servers",
                            .name = "servers",
                            .limits = {.slots = is_open ? policy::ConcurrencyLimits::kUnbounded : room,
                                       .queue = {.entries = queue > 0 ? queue : kDefaultPlaces,
                                                 .bytes = settings_.limits.memory_bytes / 2},
                                       .wait = Duration::max()},
                            .group = nullptr,
                            .shadow = nullptr});
}

/// The first time in any case: until they are asked, the rules before these may still set the room of a cap
/// that is shared.
void Rules::set_server_room(std::optional<uint32_t> room, Time now) {
    const uint32_t slots = room.value_or(policy::ConcurrencyLimits::kUnbounded);
    if (server_cap_ == nullptr || server_room_.exchange(slots) == slots) return;
    policy::ConcurrencyLimits limits = server_cap_->limits;
    limits.slots = slots;
    server_cap_->group->set_limits(limits, now);
}

void Rules::take_effect(Time now) {
    for (const auto& cap : caps_) cap->group->set_limits(cap->limits, now);
    for (const auto& group : lifted_) group->let_all_in(now);
}

/// None where there is a cap that was not there before: it may be another's under a new name, and whoever
/// waits for the old one would come upon the app all at once.
void Rules::find_lifted() {
    if (before_ == nullptr) return;
    const auto holds_in = [](const Rules& rules, const ConcurrencyGate& wanted) {
        return std::any_of(rules.caps_.begin(), rules.caps_.end(), [&](const auto& cap) {
            return cap->group == wanted.group && cap->mode == config::Mode::enforce;
        });
    };
    for (const auto& cap : caps_)
        if (cap->mode == config::Mode::enforce && !holds_in(*before_, *cap)) return;
    for (const auto& former : before_->caps_)
        if (!holds_in(*this, *former)) lifted_.push_back(former->group);
}

/// nullptr where nothing is capped.
ConcurrencyGate* Rules::make_cap(std::string owner, std::string name, const config::ScopeLimits& limits) {
    const bool caps = limits.concurrency || limits.per_client_concurrency;
    if (!caps || limits.mode == config::Mode::off) return nullptr;
    // Half of all memory: requests that are inside the app need theirs too.
    return add_gate({.owner = std::move(owner),
                     .name = std::move(name),
                     .mode = limits.mode,
                     .limits = limits_of(limits, settings_.limits.memory_bytes / 2),
                     .shadow_room = room_of(limits),
                     .group = nullptr,
                     .shadow = nullptr});
}

ConcurrencyGate* Rules::add_gate(ConcurrencyGate gate) {
    for (size_t index = 0; before_ != nullptr && index < before_->caps_.size(); ++index) {
        const ConcurrencyGate& former = *before_->caps_[index];
        if (former.owner != gate.owner) continue;
        gate.group = former.group;
        if (former.shadow_room == gate.shadow_room) gate.shadow = former.shadow;
    }
    if (!gate.group) gate.group = std::make_shared<policy::ConcurrencyGroup>(gate.limits);
    if (!gate.shadow) gate.shadow = std::make_shared<policy::ShadowCap>(gate.shadow_room);
    caps_.push_back(std::make_unique<ConcurrencyGate>(std::move(gate)));
    return caps_.back().get();
}

void Rules::add_route_cap(Scope& scope, const config::Route& route) {
    const config::RouteLimits& limits = route.limits;
    const std::string& owner = limits.group.empty() ? route.name : limits.group;
    if (limits.group.empty())
        return add_cap(scope, make_cap("route " + owner, owner + "-concurrency", limits), limits.queue.wait);
    auto [group, is_new] = groups_.try_emplace(limits.group, nullptr);
    if (is_new) group->second = make_cap("group " + owner, owner + "-concurrency", limits);
    add_cap(scope, group->second, limits.queue.wait);
}

void Rules::add_cap(Scope& scope, ConcurrencyGate* gate, Duration wait) const {
    if (gate == nullptr) return;
    if (gate->mode == config::Mode::shadow) {
        scope.shadow_caps.push_back({.gate = gate, .behind = scope.caps.size()});
        scope.shadow_names.push_back(gate->name);
    } else {
        scope.caps.push_back({.gate = gate, .wait = wait});
    }
}

const Scope* Rules::scope_named(std::string_view route) const {
    for (const Scope& scope : scopes_)
        if (scope.route_name() == route) return &scope;
    return nullptr;
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
