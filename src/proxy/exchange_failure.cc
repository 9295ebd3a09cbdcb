// What an exchange does when something goes wrong: tries again, answers in the app's stead, or cuts the
// answer off.
#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/upstream_set.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

namespace {
bool asks_app(State state) {
    return state == State::connecting || state == State::awaiting || state == State::streaming;
}
}  // namespace

void Exchange::fail(const Error& error) {
    if (state_ == State::replying || state_ == State::closed || state_ == State::tunnel) return;
    if (error.reason == http::Reason::upstream_connect && !error.is_shortage && lease_)
        lease_->pool().note_connect_failed(lease_->address_index());
    const bool was_stale = is_stale(error);
    if (!was_stale && asks_app(state_) && speaks_against_server(error)) note_outcome(false);
    const bool repeats = may_repeat(error);
    count_failure(error, repeats);
    if (repeats) {
        if (error.retry != Retry::always) want_ = UpstreamPool::Want::fresh;
        if (was_stale) --attempts_;
        ++record_.retries;
        lease_.drop();
        visit_.end();
        upload_.rewind();
        enter(Event::repeat);
        if (error.reason == http::Reason::upstream_reset && !was_stale && plan_->fleet->size() == 1)
            return pause_before_repeat();
        return connect();
    }
    tell_unreachable(error);
    if (may_hold(error)) return hold_for_app(&error);
    if (head_sent_) return cut(error);
    reply(error);
}

/// The app has closed a connection that was idle before: that says nothing of its health, nor is it a try.
bool Exchange::is_stale(const Error& error) const {
    return error.retry == Retry::if_unprocessed && lease_ && lease_->reused();
}

/// Not what weir itself is short of, nor what the client does: whoever wants a server left out need only send
/// it bodies that end badly, or leave it no time.
bool Exchange::speaks_against_server(const Error& error) const {
    using http::Reason;
    switch (error.reason) {
        case Reason::upstream_connect:
        case Reason::upstream_reset:
        case Reason::upstream_protocol:
        case Reason::upstream_unavailable:
        case Reason::upstream_stall: return !error.is_shortage;
        case Reason::deadline: return total_ == scope_->total;
        case Reason::bad_request:
        case Reason::invalid_parameter:
        case Reason::no_route:
        case Reason::method_not_allowed:
        case Reason::header_timeout:
        case Reason::body_timeout:
        case Reason::body_too_large:
        case Reason::uri_too_long:
        case Reason::unsupported_media_type:
        case Reason::expectation_failed:
        case Reason::misdirected:
        case Reason::header_too_large:
        case Reason::not_implemented:
        case Reason::version_not_supported:
        case Reason::rate_limited:
        case Reason::queue_full:
        case Reason::queue_timeout:
        case Reason::predicted_wait:
        case Reason::overloaded:
        case Reason::draining: return false;
    }
    return false;
}

/// The app is there, whatever it says.
void Exchange::note_answer(bool is_sound) {
    note_outcome(is_sound);
    if (ticket_) kit_.hold->answered(*std::exchange(ticket_, std::nullopt));
}

void Exchange::note_outcome(bool succeeded) {
    if (!visit_.settle(succeeded, kit_.loop.now())) return;
    std::string name = to_string(visit_.server_settings().address);
    if (succeeded) {
        log::info("{} answers again: it takes requests as before", name);
    } else {
        log::warning("{} failed {} requests in a row: it is left out for a while", name,
                     plan_->settings.health.passive.failures.value_or(0));
    }
}

/// To the operator, who may have started weir before the app or with another port. What TLS lacks is told by
/// `server_tls`.
void Exchange::tell_unreachable(const Error& error) const {
    const bool is_of_server = error.reason == http::Reason::upstream_connect && lease_;
    if (!is_of_server || error.is_shortage || error.is_lasting) return;
    if (!plan_->fleet->note_unreachable(visit_.server(), kit_.loop.now())) return;
    const std::string cause = error.system_error == 0 ? std::string(error.detail)
                                                      : std::generic_category().message(error.system_error);
    log::warning("{} cannot be reached: {}", lease_->pool().name(), cause);
}

void Exchange::tell_reached() const {
    if (!plan_->fleet->note_reached(visit_.server())) return;
    log::info("{} can be reached again", lease_->pool().name());
}

/// For the figures: what is sent again, and how it ends where the app closed the connection as it was reused.
void Exchange::count_failure(const Error& error, bool is_repeated) const {
    if (!lease_) return;
    if (is_repeated) lease_->pool().figures().retries[static_cast<size_t>(error.reason)].add();
    if (is_stale(error)) kit_.metrics->note_race(is_repeated);
}

bool Exchange::may_repeat(const Error& error) const {
    if (state_ != State::connecting && state_ != State::awaiting) return false;
    if (!upload_.repeatable()) return false;
    const config::Retry& retry = plan_->settings.upstream.retry;
    switch (error.retry) {
        case Retry::no: return false;
        case Retry::always:
            return attempts_ < std::max<size_t>(retry.attempts, kit_.upstreams->max_connects());
        case Retry::if_unprocessed:
            // A reused connection may have been closed for its idleness; a fresh one that dies has died while
            // the app was at work.
            if (is_stale(error)) return http::is_idempotent(method_) || lease_->none_delivered();
            return may_ask_again();
        case Retry::if_idempotent: return may_ask_again();
    }
    return false;
}

/// The app may have acted on it.
bool Exchange::may_ask_again() const {
    return http::is_idempotent(method_) && attempts_ < plan_->settings.upstream.retry.attempts &&
           plan_->fleet->budget().take(kit_.loop.now());
}

/// For who asks about this request later: what the error's views lead to does not live as long.
void Exchange::keep_detail(std::string_view detail) {
    record_.detail = {detail_.data(), detail.copy(detail_.data(), detail_.size())};
}

/// The client has seen the head already: it must see that what follows is not whole.
void Exchange::cut(const Error& error) {
    record_.cut = http::text_of(error.reason).slug;
    keep_detail(error.detail);
    client_.send_cut();
    enter(Event::response_end);
    client_.flush();
    on_client_drained();
}

}  // namespace weir::proxy
