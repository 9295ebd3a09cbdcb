// What an exchange does when something goes wrong: tries again, answers in the app's stead, or cuts the
// answer off.
#include <array>
#include <cassert>
#include <charconv>
#include <string>
#include <system_error>

#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/upstream_set.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

namespace {
/// After which a client that was refused for lack of room may try again.
constexpr Duration kRetryAfter = std::chrono::seconds(1);
}  // namespace

void Exchange::fail(const Error& error) {
    if (state_ == State::replying || state_ == State::closed || state_ == State::tunnel) return;
    if (error.reason == http::Reason::upstream_connect && lease_)
        lease_->pool().note_connect_failed(lease_->address_index());
    if (may_repeat(error)) {
        bool was_dead = error.retry == Retry::if_unprocessed;
        if (was_dead) want_ = UpstreamPool::Want::fresh;
        ++record_.retries;
        lease_.drop();
        upload_.rewind();
        enter(Event::repeat);
        return connect();
    }
    if (head_sent_) return cut(error);
    reply(error);
}

bool Exchange::may_repeat(const Error& error) const {
    if (state_ != State::connecting && state_ != State::awaiting) return false;
    if (!upload_.repeatable()) return false;
    switch (error.retry) {
        case Retry::no: return false;
        case Retry::always: return attempts_ < kit_.upstreams->max_attempts();
        case Retry::if_unprocessed:
            // A reused connection may have been closed for its idleness; a fresh one that dies has died of
            // this request.
            return lease_->reused() && (http::is_idempotent(method_) || lease_->none_delivered());
    }
    return false;
}

void Exchange::reply(const Error& error) {
    const http::ReasonText& text = http::text_of(error.reason);
    record_.status = text.status;
    record_.reason = text.slug;
    head_sent_ = true;
    enter(Event::refused);
    record_.rule = error.rule;
    std::string detail(error.detail);
    if (error.system_error != 0) detail += " (" + std::generic_category().message(error.system_error) + ")";
    http::LocalReply local{.reason = error.reason,
                           .rule = error.rule,
                           .detail = detail,
                           .request_id = record_.request_id,
                           .retry_after = error.retry_after};
    if (text.status == 503 && !local.retry_after) local.retry_after = kRetryAfter;
    std::string& body = kit_.reply_text;
    http::problem_json(local, body);
    http::ResponseHead& head = kit_.blank_response(text.status);
    head.fields.push_back({.name = "Content-Type", .value = "application/problem+json"});
    std::array<char, 24> seconds;
    if (local.retry_after) {
        auto end =
            std::to_chars(seconds.begin(), seconds.end(), http::retry_after_seconds(*local.retry_after)).ptr;
        head.fields.push_back({.name = "Retry-After", .value = {seconds.data(), end}});
    }
    if (!error.allow.empty()) head.fields.push_back({.name = "Allow", .value = error.allow});
    add_quota_fields(head);
    client_.send_head(head, {.framing = http::Framing::length, .length = body.size()}, record_.request_id);
    if (method_ != http::Method::head) {
        record_.response_bytes = body.size();
        client_.send_body(body);
    }
    client_.send_end("");
    client_.flush();
    on_client_drained();
}

/// The client has seen the head already: it must see that what follows is not whole.
void Exchange::cut(const Error& error) {
    record_.cut = http::text_of(error.reason).slug;
    client_.send_cut();
    enter(Event::response_end);
    client_.flush();
    on_client_drained();
}

}  // namespace weir::proxy
