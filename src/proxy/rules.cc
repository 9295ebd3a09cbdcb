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

RateGate::RateGate(const config::Rate& rate, policy::KeyMaker key_of_request, size_t keys)
    : name(rate.name),
      mode(rate.mode),
      is_mode_own(rate.mode.is_own),
      cost(rate.cost),
      key(std::move(key_of_request)),
      rule(limit_of(rate), keys) {}

Rules::Rules(const config::Settings& settings, const HashSeed& seed)
    : settings_(settings), seed_(seed), routes_(settings.routes) {
    std::vector<RateGate*> global = make_gates(settings.limits.rates, settings.limits.keys);
    for (RateGate* gate : make_gates(settings.shadow, settings.limits.keys)) global.push_back(gate);
    scopes_.push_back(make_scope(global));
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
