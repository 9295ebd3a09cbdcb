// What weir says by itself, in the app's stead, and what it adds to every answer.
#include <array>
#include <charconv>
#include <string>
#include <system_error>

#include "net/tls_session.h"
#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/turned_away.h"

namespace weir::proxy {

namespace {
/// After which a client that was refused for lack of room may try again.
constexpr Duration kRetryAfter = std::chrono::seconds(1);
}  // namespace

/// True for what came in at the wrong place.
bool Exchange::turn_away(const http::RequestHead& request) {
    if (facts_.entrance == nullptr) return false;
    const auto found =
        turned_away({.entrance = *facts_.entrance,
                     .is_tls = facts_.tls != nullptr,
                     .is_admitted = facts_.tls == nullptr || facts_.tls->admits(request.authority),
                     .scheme = facts_.scheme},
                    request);
    if (!found) return false;
    if (found->location.empty()) {
        reply({.reason = found->reason, .detail = found->detail});
    } else {
        http::ResponseHead& head = kit_.blank_response(308);
        head.fields.push_back({.name = "Location", .value = found->location});
        answer(head, {});
    }
    return true;
}

/// True for what no app and no rule is asked about.
bool Exchange::answer_without_app(const http::RequestHead& request) {
    if (cors_.kind == http::CorsRequest::Kind::preflight) {
        http::ResponseHead& head = kit_.blank_response(204);
        plan_->cors.add_preflight_fields(cors_, head.fields);
        answer(head, {});
        return true;
    }
    if (!plan_->public_answers.has_any()) return false;
    auto found = plan_->public_answers.at(request.path, kit_);
    if (found) answer_publicly(*found);
    return found.has_value();
}

void Exchange::answer_publicly(const PublicAnswer& found) {
    if (method_ != http::Method::get && method_ != http::Method::head)
        return reply({.reason = http::Reason::method_not_allowed,
                      .detail = PublicAnswers::kOnlyRead,
                      .allow = "GET, HEAD"});
    record_.reason = found.reason;
    http::ResponseHead& head = kit_.blank_response(found.status);
    head.fields.push_back({.name = "Content-Type", .value = "application/json"});
    head.fields.push_back({.name = "Cache-Control", .value = "no-store"});
    add_shared_fields(head);
    answer(head, found.body);
}

void Exchange::reply(const Error& error) {
    const http::ReasonText& text = http::text_of(error.reason);
    record_.reason = text.slug;
    record_.refusal = error.reason;
    record_.rule = error.rule;
    std::string with_cause;
    std::string_view detail = error.detail;
    if (error.system_error != 0) {
        with_cause.append(detail).append(" (" + std::generic_category().message(error.system_error) + ")");
        detail = with_cause;
    }
    keep_detail(detail);
    http::LocalReply local{.reason = error.reason,
                           .rule = error.rule,
                           .detail = detail,
                           .request_id = record_.request_id,
                           .retry_after = error.retry_after};
    if (text.status == 503 && !local.retry_after) local.retry_after = kRetryAfter;
    record_.retry_after = local.retry_after.value_or(Duration(-1));
    const auto& own = plan_->own_body;
    std::string_view type = "application/problem+json";
    if (own) type = own->content_type();
    const std::string_view body =
        own ? own->write(local, kit_.reply_text) : http::problem_json(local, kit_.reply_text);
    http::ResponseHead& head = kit_.blank_response(text.status);
    head.fields.push_back({.name = "Content-Type", .value = type, .id = http::FieldId::content_type});
    std::array<char, 24> seconds;
    if (local.retry_after) {
        auto end =
            std::to_chars(seconds.begin(), seconds.end(), http::retry_after_seconds(*local.retry_after)).ptr;
        head.fields.push_back({.name = "Retry-After", .value = {seconds.data(), end}});
    }
    if (!error.allow.empty()) head.fields.push_back({.name = "Allow", .value = error.allow});
    add_shared_fields(head);
    answer(head, body);
}

/// The head is whole but for what holds for every answer of its connection.
void Exchange::answer(const http::ResponseHead& head, std::string_view body) {
    record_.status = head.status;
    head_sent_ = true;
    enter(ExchangeEvent::refused);
    http::Body framing{.framing = http::Framing::length, .length = body.size()};
    if (head.status == 204) framing = {};
    client_.send_head(head, framing, record_.request_id);
    if (method_ != http::Method::head) {
        record_.response_bytes = body.size();
        client_.send_body(body);
    }
    client_.send_end("");
    client_.flush();
    on_client_drained();
}

/// On the app's answers and weir's own alike.
void Exchange::add_shared_fields(http::ResponseHead& head) {
    add_quota_fields(head);
    if (cors_.kind != http::CorsRequest::Kind::off) plan_->cors.replace_fields(cors_, head.fields);
}

}  // namespace weir::proxy
