// The rules of one configuration, ready to be asked: which route a request takes, and which rates and caps
// hold there.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/siphash.h"
#include "config/settings.h"
#include "policy/concurrency_group.h"
#include "policy/key.h"
#include "policy/rate_rule.h"
#include "policy/route_table.h"
#include "policy/shadow_cap.h"

namespace weir::proxy {

/// What `client` stands for is put in its place.
[[nodiscard]] policy::KeySpec key_of(const config::Key& key, const config::Key& client);

/// One rate of the configuration with what it remembers of its keys.
struct RateGate {
    std::string memory;  ///< says what the rule remembers: another plan's gate that says the same shares it
    std::string name;
    config::Mode mode;
    bool is_mode_own;  ///< not that of the limits around it
    uint32_t cost;
    policy::KeyMaker key;
    bool is_by_client;                       ///< the key is the one of who the request counts for
    std::shared_ptr<policy::RateRule> rule;  ///< never null

    /// `client`: of Rules::client_of, for the same request.
    [[nodiscard]] uint64_t key_for(const policy::RequestView& view, policy::ClientKey client) const {
        return is_by_client ? client : key(view);
    }
};

/// One cap of the configuration with who is inside and who waits: the global one, a route's own, or a
/// group's.
struct ConcurrencyGate {
    std::string owner;  ///< "all", "servers", "route NAME" or "group NAME": the same in another plan shares
                        ///< the group
    std::string name;
    config::Mode mode = config::Mode::enforce;
    policy::ConcurrencyLimits limits;                 ///< the group's, once the plan is in force
    size_t shadow_room = SIZE_MAX;                    ///< nobody is refused by a cap that does not exist
    std::shared_ptr<policy::ConcurrencyGroup> group;  ///< never null
    std::shared_ptr<policy::ShadowCap> shadow;  ///< never null; asked in place of the group in shadow mode
};

/// A cap as one scope uses it.
struct Cap {
    ConcurrencyGate* gate = nullptr;
    Duration wait{};  ///< in its queue, at most
};

/// A cap in shadow, between those that are enforced.
struct ShadowedCap {
    ConcurrencyGate* gate = nullptr;
    size_t behind = 0;  ///< so many of the scope's `caps` come before it
};

/// What holds for the requests of one route, or of none. Its gates belong to Rules.
struct Scope {
    static constexpr size_t kMostCaps = 3;  ///< a route's own, the global one, and that of the servers

    const config::Route* route = nullptr;  ///< nullptr: no route matched
    uint32_t number = 0;                   ///< in keys that name the route; 0: none
    std::vector<RateGate*> enforced;       ///< the global ones first, in the order of the configuration
    std::vector<RateGate*> shadowed;       ///< those first that are in shadow with the limits around them
    size_t shadowed_together = 0;          ///< how many those are
    std::vector<std::string_view> shadow_names;  ///< of the rates, then of the caps
    std::vector<Cap> caps;                       ///< the route's own first; at most kMostCaps
    std::vector<ShadowedCap> shadow_caps;        ///< likewise
    std::string policies;                        ///< the value of RateLimit-Policy; empty where no rate holds
    Duration total{};
    uint64_t body_bytes = 0;

    /// "" without a route.
    [[nodiscard]] std::string_view route_name() const {
        return route == nullptr ? std::string_view() : std::string_view(route->name);
    }
};

/// Immutable but for what the gates remember; threads: any. The settings outlive it.
class Rules {
  public:
    /// `before`: the rules that hold now, made with the same seed. Of a rate or a cap that stays as it is,
    /// what it remembers, who is inside and who waits are shared; a cap whose numbers change takes them over.
    Rules(const config::Settings& settings, const HashSeed& seed, const Rules* before = nullptr);

    /// The plan holds from now on: caps that were taken over get its numbers, and nobody waits any longer for
    /// those that are no more, or only in shadow.
    void take_effect(Time now);

    [[nodiscard]] const policy::RouteTable& routes() const { return routes_; }
    [[nodiscard]] const Scope& scope_of(const policy::RouteMatch* match) const {
        return match == nullptr ? scopes_.front() : scopes_[match->index + 1];
    }

    /// Who a request is for the fair queue, and for the rates that go by clients.
    [[nodiscard]] policy::ClientKey client_of(const policy::RequestView& view) const {
        return client_key_(view);
    }
    /// How many requests the servers may take at once, of those that are in; nothing: any number. Asked again
    /// and again by one worker, under the plan that it serves by.
    void set_server_room(std::optional<uint32_t> room, Time now);
    /// By their numbers.
    [[nodiscard]] const std::vector<Scope>& scopes() const { return scopes_; }
    /// Of a route's name, or of "", which is always there; nullptr where there is no such route.
    [[nodiscard]] const Scope* scope_named(std::string_view route) const;
    /// Everything capped, for the figures.
    [[nodiscard]] const std::vector<std::unique_ptr<ConcurrencyGate>>& caps() const { return caps_; }

    /// Places for requests that wait for a server, where the configuration has no queue.
    static constexpr size_t kDefaultPlaces = 100;

  private:
    /// `owner`: the route, or "" for the global ones.
    std::vector<RateGate*> make_gates(const std::vector<config::Rate>&, size_t keys, std::string_view owner);
    [[nodiscard]] std::shared_ptr<policy::RateRule> remembered(const RateGate&) const;
    [[nodiscard]] std::string memory_of(const config::Rate&, size_t keys, std::string_view owner) const;
    [[nodiscard]] static Scope make_scope(const std::vector<RateGate*>& gates);
    void make_server_cap();
    void add_route_cap(Scope& scope, const config::Route& route);
    void add_cap(Scope& scope, ConcurrencyGate* gate, Duration wait) const;
    ConcurrencyGate* make_cap(std::string owner, std::string name, const config::ScopeLimits& limits);
    ConcurrencyGate* add_gate(ConcurrencyGate gate);
    void find_lifted();

    const config::Settings& settings_;
    HashSeed seed_;
    const Rules* before_;  ///< while this is made
    policy::KeyMaker client_key_;
    policy::RouteTable routes_;
    std::vector<std::unique_ptr<RateGate>> gates_;
    std::vector<std::unique_ptr<ConcurrencyGate>> caps_;
    std::vector<std::shared_ptr<policy::ConcurrencyGroup>> lifted_;  ///< of caps that are no more
    ConcurrencyGate* server_cap_ = nullptr;                          ///< of the servers that have caps
    static constexpr uint64_t kNotSet = UINT64_MAX;
    std::atomic<uint64_t> server_room_{kNotSet};                   ///< as was set last, by these rules
    std::map<std::string, ConcurrencyGate*, std::less<>> groups_;  ///< by the name that routes share
    std::vector<Scope> scopes_;  ///< the first one without a route, then one for each
};

}  // namespace weir::proxy
