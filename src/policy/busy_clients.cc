#include "policy/busy_clients.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weir::policy {

namespace {

/// Far below what a double takes, and some hours away.
constexpr double kMostGrowth = 1e150;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

HeavySummary merge_one(std::span<const BusyFigures> parts, HeavySummary BusyFigures::*member) {
    std::vector<HeavySummary> summaries;
    for (const BusyFigures& part : parts) summaries.push_back(part.*member);
    return merge(summaries);
}

}  // namespace

BusyFigures merge(std::span<const BusyFigures> parts) {
    return {.requests = merge_one(parts, &BusyFigures::requests),
            .refusals = merge_one(parts, &BusyFigures::refusals),
            .in_app = merge_one(parts, &BusyFigures::in_app)};
}

BusyClients::BusyClients(Time now) : started_(now), counts_from_(now), next_step_(now + kStep) {}

double BusyClients::growth_between(Time from, Time to) {
    return std::exp2(static_cast<double>((to - from) / kStep) * (seconds(kStep) / seconds(kHalfLife)));
}

void BusyClients::enter_step(Time now) {
    const Time start = counts_from_ + (now - counts_from_) / kStep * kStep;
    growth_ = growth_between(counts_from_, start);
    next_step_ = start + kStep;
    if (growth_ < kMostGrowth) return;
    for (HeavyHitters* each : {&requests_, &refusals_, &in_app_}) each->scale(1 / growth_);
    counts_from_ = start;
    growth_ = 1;
}

void BusyClients::note(const ClientUse& use, Time now) {
    if (now >= next_step_) enter_step(now);
    requests_.add(use.client, use.address, growth_);
    if (use.is_refused) refusals_.add(use.client, use.address, growth_);
    if (use.in_app > Duration::zero()) in_app_.add(use.client, use.address, growth_ * seconds(use.in_app));
}

BusyFigures BusyClients::figures(Time now) const {
    const double age = seconds(std::max(now - started_, kStep));
    // What one a second would have added up to by now.
    const double mass = (1 - std::exp2(-age / seconds(kHalfLife))) * seconds(kHalfLife) / std::numbers::ln2;
    const double unit = 1 / (std::max(growth_, growth_between(counts_from_, now)) * mass);
    BusyFigures figures{
        .requests = requests_.summary(), .refusals = refusals_.summary(), .in_app = in_app_.summary()};
    for (HeavySummary* each : {&figures.requests, &figures.refusals, &figures.in_app}) each->scale(unit);
    return figures;
}

}  // namespace weir::policy
