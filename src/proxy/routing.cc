#include "proxy/routing.h"

#include "http/target.h"
#include "policy/method_list.h"
#include "policy/shape_rule.h"
#include "proxy/admission.h"
#include "proxy/shaped_target.h"

namespace weir::proxy {

namespace {

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

Refusal refusal_of(const policy::Misfit& misfit, const config::Route* route) {
    const bool tells_methods = misfit.kind == policy::Misfit::Kind::method;
    return {.reason = reason_of(misfit.kind),
            .detail = misfit.detail,
            .rule = route == nullptr ? std::string_view() : route->name,
            .allow = tells_methods ? policy::allow_value(route->methods) : std::string()};
}

void fit_route(const policy::RouteMatch& match, const policy::RequestOutline& outline,
               std::string_view target, Routing& routing) {
    if (auto misfit = policy::check_shape(*match.route, outline)) {
        routing.refusal = refusal_of(*misfit, match.route);
        return;
    }
    auto shaped = shape_target(match, outline.path, target);
    if (!shaped) {
        routing.refusal = refusal_of(shaped.error(), match.route);
    } else if (*shaped) {
        routing.target = std::move(**shaped);
    }
}

/// Most servers resolve dot segments, and most frameworks do not: to these "/api/../static/x" is a path below
/// "/api". Nobody writes such a path but to be taken for another one.
bool is_another_path_with_dots(const Rules& rules, const http::RequestHead& head,
                               const policy::RequestOutline& outline, const config::Route* route) {
    if (outline.path == head.path) return false;
    const auto path = http::path_with_dots(head.path);
    if (!path) return false;
    policy::RequestOutline as_it_stands = outline;
    as_it_stands.path = *path;
    const auto found = rules.routes().find(as_it_stands);
    return !found || (*found ? (*found)->route : nullptr) != route;
}

void find_route(const Rules& rules, const http::RequestHead& head, Routing& routing) {
    auto normal = http::normalise_path(head.path);
    const policy::RequestOutline outline{.path = normal ? std::string_view(*normal) : std::string_view(),
                                         .method = head.method_name,
                                         .host = head.authority,
                                         .has_body = has_body(head.body),
                                         .head = &head,
                                         .field_line = &field_line};
    auto found = rules.routes().find(outline);
    if (!found) {
        routing.refusal = refusal_of(found.error(), nullptr);
    } else if (is_another_path_with_dots(rules, head, outline, *found ? (*found)->route : nullptr)) {
        routing.refusal = refusal_of(policy::unclear_path(), nullptr);
    } else if (*found) {
        routing.scope = &rules.scope_of(&**found);
        fit_route(**found, outline, head.path_and_query, routing);
    }
}

}  // namespace

Routing route_request(const Rules& rules, const http::RequestHead& head) {
    Routing routing{.scope = &rules.scope_of(nullptr), .target = {}, .refusal = {}};
    if (!rules.routes().empty()) find_route(rules, head, routing);
    const bool is_too_large =
        head.body.framing == http::Framing::length && head.body.length > routing.scope->body_bytes;
    if (!routing.refusal && is_too_large) {
        routing.refusal = {.reason = http::Reason::body_too_large,
                           .detail = "the request body is larger than allowed",
                           .rule = {},
                           .allow = {}};
    }
    return routing;
}

http::HeadLimits head_limits(const config::Limits& limits) {
    return {.head_bytes = limits.header_bytes, .fields = limits.headers, .uri_bytes = limits.uri_bytes};
}

}  // namespace weir::proxy
