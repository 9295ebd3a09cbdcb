// What a request meets before the app is asked: its route, the route's shape, its rates, and the room that is
// left.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/routing.h"

namespace weir::proxy {

namespace {

http::RateLimitForm form_of(config::RateLimitHeaders headers) {
    switch (headers) {
        case config::RateLimitHeaders::draft: return http::RateLimitForm::draft;
        case config::RateLimitHeaders::legacy: return http::RateLimitForm::legacy;
        case config::RateLimitHeaders::both: return http::RateLimitForm::both;
        case config::RateLimitHeaders::off: return http::RateLimitForm::draft;
    }
    return http::RateLimitForm::draft;
}

}  // namespace

/// False where it was refused, and answered. The rates come last: what is refused for its shape costs
/// nothing.
bool Exchange::admit(http::RequestHead& head) {
    Routing routing = route_request(plan_->rules, head);
    scope_ = routing.scope;
    if (scope_->route != nullptr) record_.route = scope_->route->name;
    client_key_ = plan_->rules.client_of(view_of(*scope_, head, facts_.ip));
    if (const auto& refusal = routing.refusal) {
        reply({.reason = refusal->reason,
               .detail = refusal->detail,
               .rule = refusal->rule,
               .allow = refusal->allow});
        return false;
    }
    if (!settle_total()) return false;
    if (!routing.target.empty()) {
        target_ = std::move(routing.target);
        head.path_and_query = target_;
    }
    if (kit_.budget.exhausted()) {
        reply({.reason = http::Reason::overloaded, .detail = "too many bytes are held for others already"});
        return false;
    }
    return pass_rates(head);
}

/// A client may only shorten the time.
bool Exchange::settle_total() {
    Duration total = std::min(scope_->total, patience_);
    if (total == total_) return true;
    total_ = total;
    arm_deadline(started_);
    if (total_ >= kLeastTotal) return true;
    reply({.reason = http::Reason::deadline, .detail = kNoTimeLeft});
    return false;
}

bool Exchange::pass_rates(const http::RequestHead& head) {
    if (scope_->enforced.empty() && scope_->shadowed.empty()) return true;
    RateVerdict verdict =
        ask_rates(*scope_, view_of(*scope_, head, facts_.ip), *client_key_, kit_.loop.fresh_now());
    quota_ = verdict.nearest;
    record_.shadow_refusals = verdict.shadow_refusals;
    record_.shadow_names = scope_->shadow_names;
    if (verdict.refused_by == nullptr) return true;
    reply({.reason = http::Reason::rate_limited,
           .detail = "this client has used up what it may ask for in this time",
           .rule = verdict.refused_by->name,
           .retry_after = verdict.retry_after});
    return false;
}

/// On every answer to a request that the rates were asked about, whoever gives it.
void Exchange::add_quota_fields(http::ResponseHead& head) {
    auto wanted = plan_->settings.headers.rate_limit;
    if (!quota_ || wanted == config::RateLimitHeaders::off) return;
    http::RateLimitAnswer answer{.form = form_of(wanted), .policies = scope_->policies, .nearest = *quota_};
    if (wanted != config::RateLimitHeaders::draft)
        std::erase_if(head.fields,
                      [](const http::Field& field) { return http::is_legacy_rate_limit(field.name); });
    kit_.quota_text.resize(http::rate_limit_bound(answer));
    http::add_rate_limit_fields(answer, kit_.quota_text.data(), head.fields);
}

}  // namespace weir::proxy
