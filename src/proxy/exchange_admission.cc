// What a request meets before the app is asked: its route, the route's shape, its rates, and the room that is
// left.
#include "http/target.h"
#include "policy/method_list.h"
#include "policy/shape_rule.h"
#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/shaped_target.h"

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

http::Reason reason_of(policy::Misfit::Kind kind) {
    switch (kind) {
        case policy::Misfit::Kind::method: return http::Reason::method_not_allowed;
        case policy::Misfit::Kind::body_type: return http::Reason::unsupported_media_type;
        case policy::Misfit::Kind::parameter: return http::Reason::invalid_parameter;
        case policy::Misfit::Kind::unclear: return http::Reason::bad_request;
    }
    return http::Reason::bad_request;
}

bool has_body(const http::Body& body) {
    return body.framing == http::Framing::chunked ||
           (body.framing == http::Framing::length && body.length > 0);
}

}  // namespace

/// False where it was refused, and answered. The rates come last: what is refused for its shape costs
/// nothing.
bool Exchange::admit(http::RequestHead& head) {
    if (!find_scope(head)) return false;
    if (head.body.framing == http::Framing::length && head.body.length > scope_->body_bytes) {
        reply({.reason = http::Reason::body_too_large, .detail = "the request body is larger than allowed"});
        return false;
    }
    if (kit_.budget.exhausted()) {
        reply({.reason = http::Reason::overloaded, .detail = "too many bytes are held for others already"});
        return false;
    }
    return pass_rates(head);
}

bool Exchange::find_scope(http::RequestHead& head) {
    const policy::RouteTable& routes = kit_.rules.routes();
    if (routes.empty()) return true;
    auto normal = http::normalise_path(head.path);
    policy::RequestOutline outline{.path = normal ? std::string_view(*normal) : std::string_view(),
                                   .method = head.method_name,
                                   .host = head.authority,
                                   .has_body = has_body(head.body),
                                   .head = &head,
                                   .field_line = &field_line};
    auto found = routes.find(outline);
    if (!found) return refuse_misfit(found.error(), {});
    if (!*found) return true;
    scope_ = &kit_.rules.scope_of(&**found);
    record_.route = scope_->route->name;
    return fit_route(**found, outline, head);
}

bool Exchange::fit_route(const policy::RouteMatch& match, const policy::RequestOutline& outline,
                         http::RequestHead& head) {
    if (auto misfit = policy::check_shape(*match.route, outline))
        return refuse_misfit(*misfit, policy::allow_value(match.route->methods));
    auto shaped = shape_target(match, outline.path, head.path_and_query);
    if (!shaped) return refuse_misfit(shaped.error(), {});
    if (*shaped) {
        target_ = std::move(**shaped);
        head.path_and_query = target_;
    }
    return true;
}

bool Exchange::refuse_misfit(const policy::Misfit& misfit, std::string_view allow) {
    bool tells_methods = misfit.kind == policy::Misfit::Kind::method;
    reply({.reason = reason_of(misfit.kind),
           .detail = misfit.detail,
           .rule = record_.route,
           .allow = tells_methods ? allow : std::string_view()});
    return false;
}

bool Exchange::pass_rates(const http::RequestHead& head) {
    if (scope_->enforced.empty() && scope_->shadowed.empty()) return true;
    RateVerdict verdict = ask_rates(*scope_, head, facts_.ip, kit_.loop.fresh_now());
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
    auto wanted = kit_.settings.headers.rate_limit;
    if (!quota_ || wanted == config::RateLimitHeaders::off) return;
    http::RateLimitAnswer answer{.form = form_of(wanted), .policies = scope_->policies, .nearest = *quota_};
    if (wanted != config::RateLimitHeaders::draft)
        std::erase_if(head.fields,
                      [](const http::Field& field) { return http::is_legacy_rate_limit(field.name); });
    kit_.quota_text.resize(http::rate_limit_bound(answer));
    http::add_rate_limit_fields(answer, kit_.quota_text.data(), head.fields);
}

}  // namespace weir::proxy
