#include "proxy/metrics.h"

#include <algorithm>

namespace weir::proxy {

namespace {

/// A client that left before there was an answer, as the log has it.
constexpr uint16_t kClientGone = 499;

/// Those of the rate or cap that the record names, or of none. A rate and a cap may have the same name.
ScopeFigures::ByReason& refusals_of(ScopeFigures& figures, const Scope& scope, const AccessRecord& record) {
    const bool is_rate = record.refusal == http::Reason::rate_limited;
    for (size_t index = 0; is_rate && index < scope.enforced.size(); ++index)
        if (scope.enforced[index]->name == record.rule) return figures.refused_by_rate[index];
    for (size_t index = 0; !is_rate && index < scope.caps.size(); ++index)
        if (scope.caps[index].gate->name == record.rule) return figures.refused_by_cap[index];
    return figures.refused;
}

}  // namespace

ScopeFigures::ScopeFigures(const Scope& scope)
    : refused_by_rate(scope.enforced.size()),
      refused_by_cap(scope.caps.size()),
      shadow_refusals(scope.shadowed.size() + scope.shadow_caps.size()) {}

Metrics::Metrics(const Rules& rules, size_t servers) : servers_(servers) {
    for (const Scope& scope : rules.scopes()) scopes_.emplace_back(scope);
}

void Metrics::note(const Scope& scope, const AccessRecord& record) {
    ScopeFigures& figures = scopes_[scope.number];
    const bool is_code = record.status >= CodeCounts::kLeast && record.status <= CodeCounts::kMost;
    figures.codes.add(is_code ? record.status : kClientGone);
    figures.duration.observe(record.total);
    if (record.upstream >= Duration::zero()) figures.upstream.observe(record.upstream);
    if (record.slot_wait >= Duration::zero()) figures.queue_wait.observe(record.slot_wait);
    if (record.refusal) refusals_of(figures, scope, record)[static_cast<size_t>(*record.refusal)].add();
    for_each_shadow_refusal(record, [&](size_t index) {
        if (index < figures.shadow_refusals.size()) figures.shadow_refusals[index].add();
    });
    count(Total::request_bytes, record.request_bytes);
    count(Total::response_bytes, record.response_bytes);
    count(Total::ended);
}

void Metrics::note_late(const Scope& scope, AccessRecord record) {
    const ShadowSet refusals = record.shadow_refusals;
    record.shadow_refusals.reset();
    for (size_t index = 0; index < record.shadow_names.size(); ++index) {
        const auto& names = scope.shadow_names;
        const auto same = std::find(names.begin(), names.end(), record.shadow_names[index]);
        if (refusals[index] && same != names.end())
            record.shadow_refusals.set(static_cast<size_t>(same - names.begin()));
    }
    note(scope, record);
}

}  // namespace weir::proxy
