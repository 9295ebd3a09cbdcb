#include "proxy/exchange.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "http/request_timeout.h"
#include "http/trace_context.h"
#include "net/tls_session.h"
#include "proxy/kit.h"
#include "proxy/upstream_set.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

Exchange::Exchange(Kit& kit, ClientStream& client, const ClientFacts& facts)
    : kit_(kit),
      plan_(kit.plans.pin()),
      client_(client),
      facts_(facts),
      scope_(&plan_->rules.scope_of(nullptr)),
      total_(scope_->total),
      started_(kit.loop.now()),
      phase_started_(started_),
      upload_(kit.blocks),
      tunnel_task_(
          kit.loop, [](void* self) { static_cast<Exchange*>(self)->pump_tunnel(); }, this) {
    kit.metrics->begin();
}

/// The one place where the state changes and where what a state may not hold is let go.
void Exchange::enter(Event event) {
    State before = state_;
    auto next = next_state(state_, event);
    assert(next);
    if (!next) return;
    state_ = *next;
    note_times(before);
    Holdings kept = holdings_of(state_);
    if (state_ != State::tunnel) tunnel_.reset();
    if (ticket_ && state_ != State::connecting && state_ != State::awaiting) let_hold_go();
    if (before == State::holding) leave_hold();
    if (event == Event::client_gone && app_is_at_work(before)) leave_to_app();
    if (!kept.lease) {
        lease_.drop();
        visit_.end();
    }
    // After the lease: who gets them may be on another thread, and finds the connection idle.
    if (!kept.slots && slots_) let_slots_go(before, event);
    if (!kept.request) upload_.drop_body();
    if (state_ == State::closed) {
        tunnel_task_.withdraw();
        client_.on_exchange_closed();
    }
}

/// How long the state that was left has lasted.
void Exchange::note_times(State before) {
    const auto lasted = [this] { return kit_.loop.now() - phase_started_; };
    if (before == State::waiting) {
        if (record_.queue == Duration::zero()) record_.queue = lasted();
        // Who is refused on arrival has not waited, nor found a slot free.
        const bool has_slots = state_ == State::connecting && !scope_->caps.empty();
        record_.slot_wait = has_slots ? std::max(record_.queue, Duration::zero()) : record_.queue;
    }
    const bool app_was_asked = before == State::awaiting || before == State::streaming;
    if (app_was_asked && state_ != State::streaming) record_.upstream = lasted();
}

// ---- the request

void Exchange::begin(http::RequestHead& head, Block block, size_t used) {
    if (plan_->identity.trusts_anyone()) plan_->identity.settle(head, client_text_, facts_, started_);
    remember(head);
    method_ = head.method;
    announced_ = head.body;
    wants_upgrade_ = !head.upgrade.empty();
    arm_deadline(started_);
    upload_.keep_raw(std::move(block));
    if (turn_away(head) || answer_without_app(head) || !admit(head)) return;
    http::RequestFacts facts{.client_address = facts_.address,
                             .request_id = record_.request_id,
                             .scheme = facts_.scheme,
                             .host = plan_->host_for(head),
                             .forwarded_host = facts_.host,
                             .proxy_address = facts_.proxy,
                             .client_certificate = facts_.tls != nullptr
                                                       ? std::string_view(facts_.tls->client_subject())
                                                       : std::string_view(),
                             .drop_request_start = plan_->settings.headers.request_start,
                             .drop_deadline = plan_->settings.headers.deadline};
    upload_.write_head(used, head, facts);
    if (head.expect_continue && announced_.framing != http::Framing::none) client_.send_continue();
}

void Exchange::reject(const http::HeadFault& fault, const http::RequestHead& head, Block block) {
    remember(head);
    upload_.keep_raw(std::move(block));
    arm_deadline(started_);
    reply({.reason = fault.reason, .detail = fault.detail});
}

/// What the log line says, and what holds from the first: the request's id, its origin, its sender's
/// patience. The views lead into the head's block, which lives as long as this does.
void Exchange::remember(const http::RequestHead& head) {
    record_.time = kit_.loop.calendar_time();
    record_.client_address = facts_.address;
    record_.method = head.method_name;
    record_.target = head.target;
    record_.protocol = http::name_of(head.version);
    if (facts_.tls != nullptr) record_.tls = facts_.tls->version();
    record_.host = head.authority;
    if (!plan_->cors.is_off()) cors_ = plan_->cors.read(head);
    size_t traces = 0;
    for (const http::Field& field : head.fields) {
        if (field.id == http::FieldId::traceparent)  // two of them say nothing
            record_.trace_id = ++traces == 1 ? http::trace_id_of(field.value) : std::string_view{};
        if (field.id == http::FieldId::referer) record_.referer = field.value;
        if (field.id == http::FieldId::user_agent) record_.user_agent = field.value;
        if (field.id == http::FieldId::x_request_id && http::is_sane_request_id(field.value))
            record_.request_id = field.value;
    }
    patience_ = http::patience_of(head);
    if (record_.request_id.empty()) {
        own_id_ = kit_.ids.next();
        record_.request_id = {own_id_.data(), own_id_.size()};
    }
}

bool Exchange::wants_body() const {
    switch (state_) {
        case State::receiving: return true;
        case State::waiting:
        case State::holding:
        case State::connecting:
        case State::awaiting:
        case State::streaming: {
            size_t waiting = upload_.waiting_bytes();
            return waiting < plan_->settings.buffers.request_bytes &&
                   (waiting == 0 || !kit_.budget.exhausted());
        }
        case State::tunnel:
        case State::replying:
        case State::closed: return false;
    }
    return false;
}

void Exchange::on_request_body(std::string_view payload) {
    body_bytes_ += payload.size();
    if (body_bytes_ > scope_->body_bytes)
        return fail(
            {.reason = http::Reason::body_too_large, .detail = "the request body is larger than allowed"});
    if (state_ == State::awaiting || state_ == State::streaming) {
        upload_.add_and_send(payload, *lease_);
        return after_upload();
    }
    upload_.add(payload);
    bool enough = upload_.held_bytes() >= plan_->settings.buffers.request_bytes || kit_.budget.exhausted();
    if (state_ == State::receiving && enough) hold_enough();
}

void Exchange::on_request_end(std::string_view trailers) {
    if (state_ == State::replying || state_ == State::closed) return;
    upload_.end(http::passable_trailers(trailers));
    if (state_ == State::receiving) return hold_enough();
    send_upload();
}

void Exchange::on_request_body_fault(const http::HeadFault& fault) {
    fail({.reason = fault.reason, .detail = fault.detail});
}

void Exchange::connect() {
    if (!ticket_ && !kit_.hold->is_open()) return hold_for_app(nullptr);
    phase_started_ = kit_.loop.now();
    if (attempts_++ > 0) refresh_deadline();
    auto leased = kit_.upstreams->lease(*this, want_, tried_);
    if (!leased) return fail(leased.error());
    visit_ = std::move(leased->visit);
    lease_ = std::move(leased->lease);
    lease_->expect_response_to(method_);
    record_.server = lease_->pool().name();
    if (lease_->is_connected()) return on_connected();
    arm_deadline(phase_started_);
}

void Exchange::on_connected() {
    if (!lease_->reused()) {
        record_.connect = kit_.loop.now() - phase_started_;
        tell_reached();
    }
    enter(Event::connected);
    send_upload();
    if (!upload_.ended()) client_.resume_body();
}

void Exchange::send_upload() {
    if (state_ != State::awaiting && state_ != State::streaming) return;
    if (upload_.waiting_bytes() > 0) {
        upload_.send(*lease_);
        after_upload();
        if (!upload_.ended() && wants_body()) client_.resume_body();
    } else if (upload_.all_sent()) {
        lease_->request_sent();
    }
}

void Exchange::after_upload() {
    if (upload_.all_sent()) lease_->request_sent();
}

// ---- the response

void Exchange::on_interim(const http::ResponseHead& head) { client_.send_interim(head); }

void Exchange::on_response_head(http::ResponseHead& head, http::Body body) {
    record_.first_byte = since_start(kit_.loop.now());
    record_.status = head.status;
    head_sent_ = true;
    note_answer(head.status < 502 || head.status > 504);
    enter(Event::response_head);
    upload_.forget();
    add_shared_fields(head);
    client_.send_head(head, body, record_.request_id);
}

void Exchange::on_response_body(std::string_view payload) {
    record_.response_bytes += payload.size();
    client_.send_body(payload);
}

void Exchange::on_response_end(std::string_view trailers) {
    client_.send_end(http::passable_trailers(trailers));
    enter(Event::response_end);
}

void Exchange::on_read_turn_end() {
    if (state_ == State::closed || state_ == State::tunnel) return;
    client_.flush();
    on_client_drained();
}

void Exchange::on_client_drained() {
    size_t queued = client_.queued_bytes();
    if (state_ == State::replying && queued == 0) return enter(Event::sent);
    if (state_ != State::streaming) return;
    size_t bound = plan_->settings.buffers.response_bytes;
    if (queued >= bound || (queued > 0 && kit_.budget.exhausted())) {
        lease_->pause_reading();
    } else if (queued <= bound / 2) {
        lease_->resume_reading();
    }
}

void Exchange::on_client_gone() {
    if (state_ == State::closed) return;
    if (!head_sent_) record_.status = 499;
    if (state_ != State::tunnel) record_.cut = "client_gone";
    enter(Event::client_gone);
}

// ---- the tunnel

void Exchange::on_upgraded(const http::ResponseHead& head, std::string_view rest) {
    // An interim head may have been gathered: it goes out before the tunnel owns the socket.
    client_.flush();
    if (state_ == State::closed) return;
    if (client_.queued_bytes() > 0) return give_up("client_stalled");
    bool asked = wants_upgrade_ && upload_.all_sent();
    net::Stream* client = asked ? client_.become_tunnel() : nullptr;
    if (client == nullptr)
        return fail(
            {.reason = http::Reason::upstream_protocol, .detail = "the app switched protocols unasked"});
    record_.first_byte = since_start(kit_.loop.now());
    record_.status = head.status;
    head_sent_ = true;
    note_answer(true);
    enter(Event::upgraded);
    tunnel_.emplace(*client, lease_->stream(), kit_.blocks, kit_.slab);
    std::string text(http::response_head_bound(head, {}), '\0');
    text.resize(http::write_interim_head(head, text.data()));
    tunnel_->prepend_to_client(text);
    tunnel_->prepend_to_client(rest);
    tunnel_->prepend_to_upstream(client_.unread_input());
    // `rest` lies in the slab, which the first turn of the tunnel reads into.
    tunnel_task_.post();
    arm_deadline(kit_.loop.now());
}

void Exchange::pump_tunnel() {
    if (state_ != State::tunnel) return;
    auto state = tunnel_->pump();
    record_.response_bytes = tunnel_->bytes_to_client();
    body_bytes_ = tunnel_->bytes_to_upstream();
    switch (state) {
        case Tunnel::State::open: return;
        case Tunnel::State::more: return tunnel_task_.post();
        case Tunnel::State::ended:
        case Tunnel::State::broken: return enter(Event::tunnel_end);
    }
}

void Exchange::close_books() {
    assert(is_closed());
    record_.request_bytes = body_bytes_;
    record_.total = since_start(kit_.loop.now());
    record_.slow = record_.total >= plan_->settings.log.slow;
    kit_.close_books(plan_, *scope_, record_);
    // Who is turned away before it is known what it counts for counts for its address.
    const auto key = client_key_ ? *client_key_ : plan_->rules.client_of({.ip = facts_.ip.bytes});
    kit_.client_book.note({.client = key,
                           .address = facts_.ip.bytes,
                           .is_refused = record_.refusal.has_value(),
                           .in_app = record_.upstream},
                          kit_.loop.now());
}

}  // namespace weir::proxy
