// How figures outlive the plan that they were counted under.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "proxy/metrics.h"
#include "proxy/plan.h"

namespace weir::proxy {

namespace {

void add(const Count& from, Count& to) { to.add(from.read()); }

template <size_t kCounts>
void add(const std::array<Count, kCounts>& from, std::array<Count, kCounts>& to) {
    for (size_t index = 0; index < kCounts; ++index) add(from[index], to[index]);
}

/// `name_of` gives the name of what stands at the same index of the figures.
template <class Named, class Figures, class NameOf>
void add_by_name(const Named& was, const Figures& from, const Named& is, Figures& to, NameOf name_of) {
    for (size_t index = 0; index < is.size(); ++index) {
        const auto same = std::find_if(was.begin(), was.end(), [&](const auto& each) {
            return std::string_view(name_of(each)) == std::string_view(name_of(is[index]));
        });
        if (same != was.end()) add(from[static_cast<size_t>(same - was.begin())], to[index]);
    }
}

void add(const Scope& was, const ScopeFigures& from, const Scope& is, ScopeFigures& to) {
    for (uint16_t code = CodeCounts::kLeast; code <= CodeCounts::kMost; ++code)
        if (const uint64_t count = from.codes.read(code); count > 0) to.codes.add(code, count);
    to.duration.add(from.duration.read());
    to.upstream.add(from.upstream.read());
    to.queue_wait.add(from.queue_wait.read());
    add(from.refused, to.refused);
    const auto rate_name = [](const RateGate* gate) -> std::string_view { return gate->name; };
    add_by_name(was.enforced, from.refused_by_rate, is.enforced, to.refused_by_rate, rate_name);
    const auto cap_name = [](const Cap& cap) -> std::string_view { return cap.gate->name; };
    add_by_name(was.caps, from.refused_by_cap, is.caps, to.refused_by_cap, cap_name);
    const auto itself = [](std::string_view name) { return name; };
    add_by_name(was.shadow_names, from.shadow_refusals, is.shadow_names, to.shadow_refusals, itself);
}

void add(const ServerFigures& from, ServerFigures& to) {
    // What is idle and in use, the pools say anew.
    add(from.reused, to.reused);
    add(from.retries, to.retries);
}

void add(const ArrivalFigures& from, ArrivalFigures& to) {
    add(from.full_handshakes, to.full_handshakes);
    add(from.resumed_handshakes, to.resumed_handshakes);
    add(from.failed_handshakes, to.failed_handshakes);
    add(from.refused_headers, to.refused_headers);
}

}  // namespace

void Metrics::take_over(const Metrics& before, const Plan& was, const Plan& is) {
    for (const Scope& scope : is.rules.scopes()) {
        const Scope* const same = was.rules.scope_named(scope.route_name());
        if (same != nullptr) add(*same, before.scopes_[same->number], scope, scopes_[scope.number]);
    }
    take_over_servers(before, *was.fleet, *is.fleet);
    add(before.arrivals_, arrivals_);
    add(before.totals_, totals_);
    add(before.floods_, floods_);
}

/// One that is listed twice has figures of its own each time.
void Metrics::take_over_servers(const Metrics& before, const Fleet& was, const Fleet& is) {
    std::vector<bool> taken(was.size());
    for (size_t index = 0; index < is.size(); ++index) {
        size_t former = 0;
        while (former < was.size() && (taken[former] || !is_same(was.server(former), is.server(index))))
            ++former;
        if (former == was.size()) continue;
        taken[former] = true;
        add(before.servers_[former], servers_[index]);
    }
}

}  // namespace weir::proxy
