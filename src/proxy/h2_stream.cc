#include "proxy/h2_stream.h"

#include <algorithm>
#include <array>

#include "proxy/client_h2.h"
#include "proxy/kit.h"

namespace weir::proxy {

using Next = http::H2Session::Next;

H2Stream::H2Stream(Kit& kit, ClientH2& client, StreamId id)
    : kit_(kit),
      client_(client),
      id_(id),
      unread_(kit.blocks),
      body_(kit.blocks),
      timer_(kit.loop.timers(), &H2Stream::on_timer, this),
      exchange_(kit, *this, client.facts()) {}

void H2Stream::on_timer(void* stream, Time now) {
    static_cast<H2Stream*>(stream)->exchange_.on_deadline(now);
}

// ---- the request

void H2Stream::begin(http::RequestHead& head, Block block, size_t used, bool is_end) {
    is_head_ = head.method == http::Method::head;
    if (head.body.framing == http::Framing::length) body_left_ = head.body.length;
    exchange_.begin(head, std::move(block), used);
    if (is_end) on_end();
}

/// RFC 9113, 8.1.1: an answer may go before the reset that a malformed request has earned.
void H2Stream::reject(const http::HeadFault& fault, const http::RequestHead& head, Block block) {
    intake_ = Intake::faulty;
    is_head_ = head.method == http::Method::head;
    if (fault.reason == http::Reason::bad_request) {
        reset_with_ = http::H2Error::protocol_error;
        client_.on_frame(http::H2Frame::faulty);
    }
    exchange_.reject(fault, head, std::move(block));
}

void H2Stream::on_data(std::string_view payload) {
    received_ += payload.size();
    uncredited_ += payload.size();
    withheld_ += payload.size();
    // While there is memory, what one stream does not take keeps the others' bytes from nowhere.
    if (!kit_.budget.exhausted() || intake_ == Intake::faulty || exchange_.drops_body())
        client_.session().credit_connection(std::exchange(withheld_, 0));
    if (intake_ == Intake::faulty || exchange_.drops_body()) return;
    if (body_left_ && payload.size() > *body_left_)
        return refuse_rest({.reason = http::Reason::bad_request,
                            .detail = "the request body is longer than its Content-Length"});
    if (body_left_) *body_left_ -= payload.size();
    if (!unread_.empty() || !exchange_.wants_body()) return unread_.append(payload);
    exchange_.on_request_body(payload);
    give_credit();
}

void H2Stream::on_end() {
    if (intake_ != Intake::open) return;
    if (body_left_.value_or(0) > 0 && !exchange_.drops_body())
        return refuse_rest({.reason = http::Reason::bad_request,
                            .detail = "the request body is shorter than its Content-Length"});
    intake_ = Intake::ended;
    if (unread_.empty()) hand_in_end();
}

void H2Stream::on_trailers(bool is_end) {
    // Its reset waits behind an answer that the client may never let out.
    if (intake_ == Intake::faulty && !is_end) return client_.on_frame(http::H2Frame::faulty);
    if (intake_ != Intake::open) return;
    if (auto fault = client_.fields().end()) return refuse_rest(*fault);
    if (!is_end)
        return refuse_rest(
            {.reason = http::Reason::bad_request, .detail = "a second head, which does not end the request"});
    // Else nobody wants them, and those of the answer may be there.
    if (!exchange_.drops_body()) trailers_ = client_.fields().trailers();
    on_end();
}

/// The exchange may be past caring; the stream is reset all the same.
void H2Stream::refuse_rest(const http::HeadFault& fault) {
    intake_ = Intake::faulty;
    unread_.clear();
    if (!reset_with_) reset_with_ = http::H2Error::protocol_error;
    client_.on_frame(http::H2Frame::faulty);
    exchange_.on_request_body_fault(fault);
}

void H2Stream::hand_in_end() {
    intake_ = Intake::handed;
    exchange_.on_request_end(trailers_);
}

void H2Stream::resume_body() {
    is_hungry_ = true;
    client_.come_back_for(*this);
}

void H2Stream::feed() {
    if (!std::exchange(is_hungry_, false) || is_over()) return;
    while (!unread_.empty() && exchange_.wants_body()) {
        const std::string_view piece = unread_.front();
        exchange_.on_request_body(piece);
        unread_.consume(piece.size());
    }
    if (exchange_.drops_body()) unread_.clear();
    if (unread_.empty() && intake_ == Intake::ended) hand_in_end();
    give_credit();
}

/// The client may send as much again as has found its way to the app.
void H2Stream::give_credit() {
    if (is_closed_ || uncredited_ == 0 || !unread_.empty() || !exchange_.wants_body()) return;
    if (intake_ == Intake::open) client_.session().credit_stream(id_, uncredited_);
    if (withheld_ > 0) client_.session().credit_connection(std::exchange(withheld_, 0));
    uncredited_ = 0;
    client_.wake();
}

// ---- the answer

void H2Stream::send_continue() {
    static constexpr std::array kContinue{http::H2Line{.name = ":status", .value = "100"}};
    client_.session().send_interim(id_, kContinue);
    client_.wake();
}

void H2Stream::send_interim(const http::ResponseHead& head) {
    client_.session().send_interim(id_, kit_.h2_answer.interim(head));
}

void H2Stream::send_head(const http::ResponseHead& head, http::Body body, std::string_view request_id) {
    const http::ResponseFacts facts{.client_version = http::Version::http2,
                                    .keep_alive = true,
                                    .body = body,
                                    .request_id = request_id,
                                    .date = kit_.date.at(kit_.loop.calendar_time())};
    const bool is_empty =
        body.framing == http::Framing::none || (body.framing == http::Framing::length && body.length == 0);
    const bool has_body = (!is_empty && !is_head_) || reset_with_;
    head_due_ = true;
    reply_ = has_body ? Reply::open : Reply::ended;
    client_.session().send_head(id_, kit_.h2_answer.head(head, facts), has_body);
}

void H2Stream::send_body(std::string_view payload) {
    if (reply_ == Reply::open) body_.append(payload);
}

void H2Stream::send_end(std::string_view trailers) {
    if (reply_ != Reply::open) return;
    reply_ = Reply::ended;
    trailers_ = trailers;
}

void H2Stream::send_cut() {
    if (!reset_with_) reset_with_ = http::H2Error::internal_error;
    send_end({});
}

void H2Stream::flush() {
    if (reply_ == Reply::open || reply_ == Reply::ended) client_.session().resume(id_);
    client_.wake();
}

http::H2Session::Supply H2Stream::supply(size_t room) {
    const size_t bytes = std::min(room, body_.size());
    if (reply_ != Reply::ended) return {.bytes = bytes, .next = Next::more};
    const bool ends_plainly = !reset_with_ && trailers_.empty();
    if (bytes < body_.size() || (bytes > 0 && !ends_plainly)) return {.bytes = bytes, .next = Next::more};
    if (ends_plainly) return {.bytes = bytes, .next = Next::end};
    if (reset_with_) {
        reply_ = Reply::aborted;
        client_.session().reset(id_, *reset_with_);
    } else {
        client_.session().send_trailers(id_, kit_.h2_answer.trailers(trailers_));
    }
    return {.bytes = 0, .next = Next::other};
}

void H2Stream::give(size_t bytes, http::H2Session::Output& output) {
    for (size_t left = bytes; left > 0;) {
        const std::string_view piece = body_.front().substr(0, left);
        output.write(piece);
        left -= piece.size();
        body_.consume(piece.size());
    }
    delivery_.note_sent(bytes, client_.written_bytes());
}

void H2Stream::on_frame_sent(http::H2Frame kind, bool is_end) {
    head_due_ = false;
    // Of a frame that is written next the first byte stands for all.
    if (kind != http::H2Frame::data) delivery_.note_sent(0, client_.written_bytes() + 1);
    if (is_end && kind != http::H2Frame::rst_stream) reply_ = Reply::over;
    client_.note_progress();
    client_.come_back_for(*this);
}

void H2Stream::on_closed() {
    is_closed_ = true;
    if (reply_ != Reply::over && reply_ != Reply::aborted) exchange_.on_client_gone();
}

void H2Stream::abort() {
    if (is_closed_ || reply_ == Reply::over || reply_ == Reply::aborted) return;
    reply_ = Reply::aborted;
    client_.session().reset(id_, reset_with_.value_or(http::H2Error::internal_error));
    client_.wake();
}

size_t H2Stream::queued_bytes() const {
    const uint64_t accepted = client_.accepted_bytes();
    const uint64_t behind = delivery_.end() > accepted ? delivery_.end() - accepted : 0;
    const size_t queued = body_.size() + static_cast<size_t>(std::min(behind, delivery_.sent_bytes() + 1));
    const bool is_owed = !is_closed_ && (head_due_ || reply_ == Reply::ended);
    return queued == 0 && is_owed ? 1 : queued;
}

uint64_t H2Stream::moved_bytes() const { return received_ + delivery_.sample(client_.acknowledged_bytes()); }

bool H2Stream::has_ended() const { return is_closed_ || client_.has_left(); }

void H2Stream::on_exchange_closed() { client_.come_back_for(*this); }

// ---- its end

bool H2Stream::after_write() {
    if (is_over()) return true;
    exchange_.on_client_drained();
    return is_over() || is_hungry_ || delivery_.end() > client_.accepted_bytes();
}

/// Where the answer is all there and the request is not, the client is told to spare itself the rest
/// (RFC 9113, 8.1).
void H2Stream::close() {
    timer_.disarm();
    exchange_.close_books();
    http::H2Session& session = client_.session();
    if (withheld_ > 0) session.credit_connection(withheld_);
    if (is_closed_) return;
    if (reply_ == Reply::over) {
        session.reset(id_, http::H2Error::no_error);
    } else {
        abort();
    }
    session.forget(id_);
}

}  // namespace weir::proxy
