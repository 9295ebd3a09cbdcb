#include "proxy/admission.h"

#include <algorithm>
#include <array>
#include <span>

#include "http/head_writer.h"

namespace weir::proxy {

namespace {

using Asks = std::array<policy::RateAsk, policy::RateHold::kMostRules>;

/// What a key may be made of.
struct Asker {
    const policy::RequestView& view;
    policy::ClientKey client;
};

std::span<const policy::RateAsk> asks_of(std::span<RateGate* const> gates, const Asker& asker, Asks& asks) {
    size_t count = 0;
    for (RateGate* gate : gates.first(std::min(gates.size(), asks.size())))
        asks[count++] = {
            .rule = gate->rule.get(), .key = gate->key_for(asker.view, asker.client), .cost = gate->cost};
    return {asks.data(), count};
}

http::RateLimitState state_of(const RateGate& gate, const policy::Quota& quota) {
    return {.name = gate.name,
            .quota = quota.limit,
            .remaining = quota.remaining,
            .cost = gate.cost,
            .reset = quota.next};
}

/// `gates`, of which there is one at least, are those that are asked.
http::RateLimitState nearest_of(std::span<RateGate* const> gates, policy::RateHold& hold) {
    http::RateLimitState nearest = state_of(*gates.front(), hold.quota(0));
    for (size_t index = 1; index < gates.size(); ++index) {
        const http::RateLimitState state = state_of(*gates[index], hold.quota(index));
        if (http::is_nearer_to_its_end(state, nearest)) nearest = state;
    }
    return nearest;
}

/// The index of the one that would have refused; nullopt: all are charged.
std::optional<size_t> rehearse(std::span<RateGate* const> gates, const Asker& asker, Time now) {
    Asks asks;
    policy::RateHold hold(asks_of(gates, asker, asks), now);
    if (!hold.admits()) return hold.refusing();
    hold.charge();
    return std::nullopt;
}

ShadowSet ask_shadows(const Scope& scope, const Asker& asker, Time now) {
    std::span<RateGate* const> gates(scope.shadowed);
    ShadowSet refusals;
    size_t count = std::max<size_t>(scope.shadowed_together, 1);
    for (size_t first = 0; first < gates.size(); first += count, count = 1) {
        if (auto refusing = rehearse(gates.subspan(first, count), asker, now))
            refusals.set(first + *refusing);
    }
    return refusals;
}

/// Whether Connection takes the field from the app. Host and what belongs to the connection is written anew.
bool stays_behind(const std::vector<http::Field>& fields, const http::Field& field) {
    if (field.id == http::FieldId::host || http::is_hop_by_hop(field.id)) return false;
    return std::any_of(fields.begin(), fields.end(), [&](const http::Field& other) {
        return other.id == http::FieldId::connection && http::lists_token(other.value, field.name);
    });
}

}  // namespace

std::string_view field_line(const void* head, std::string_view name, size_t nth) {
    const auto& fields = static_cast<const http::RequestHead*>(head)->fields;
    for (const http::Field& field : fields)
        if (http::equals_ignoring_case(field.name, name) && nth-- == 0)
            return stays_behind(fields, field) ? std::string_view() : field.value;
    return {};
}

policy::RequestView view_of(const Scope& scope, const http::RequestHead& head, const net::IpAddress& client) {
    return {.ip = client.bytes, .route = scope.number, .head = &head, .field_line = &field_line};
}

RateVerdict ask_rates(const Scope& scope, const policy::RequestView& view, policy::ClientKey client,
                      Time now) {
    RateVerdict verdict;
    const Asker asker{view, client};
    if (!scope.enforced.empty()) {
        Asks asks;
        policy::RateHold hold(asks_of(scope.enforced, asker, asks), now);
        if (hold.admits()) {
            hold.charge();
        } else {
            verdict.refused_by = scope.enforced[hold.refusing()];
            verdict.retry_after = hold.retry_at() - now;
        }
        verdict.nearest = nearest_of(scope.enforced, hold);
    }
    if (verdict.refused_by == nullptr) verdict.shadow_refusals = ask_shadows(scope, asker, now);
    return verdict;
}

}  // namespace weir::proxy
