#include "proxy/client_h1.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "http/h2_session.h"
#include "http/head_parser.h"
#include "proxy/client_set.h"
#include "proxy/linger.h"
#include "proxy/routing.h"

namespace weir::proxy {

namespace {

/// The end of a connection that has yet to read so much that it can be told of it.
constexpr Duration kPatience = std::chrono::seconds(30);

/// Any protocol may be asked for but HTTP/2, which would carry requests past weir unseen; a request with a
/// body stays what it is.
bool may_upgrade(const http::RequestHead& head) {
    return head.body.framing == http::Framing::none && !http::lists_token(head.upgrade, "h2c");
}

/// Under TLS it is agreed on before (RFC 9113, 3.2); whoever speaks plainly to an address of TLS is astray.
bool may_be_h2(const Entrance& entrance, const net::Stream& stream) {
    if (!entrance.speaks_http2) return false;
    return stream.tls() == nullptr ? entrance.tls == nullptr : stream.tls()->protocol() == "h2";
}

}  // namespace

Turn::Turn(Kit& kit, ClientH1& client)
    : task(kit.loop, &ClientH1::on_task, &client), address_length(client.seat_.peer().write(address)) {}

ClientH1::ClientH1(Kit& kit, ClientSet& set, Connection connection)
    : kit_(kit),
      set_(set),
      stream_(kit.loop, std::move(connection.fd), *this, std::move(connection.tls)),
      timer_(kit.loop.timers(), &ClientH1::on_timer, this),
      sender_(stream_, kit.gather, kit.blocks),
      turn_(nullptr, {&kit.turns}),
      seat_(std::move(connection.seat)),
      entrance_(std::move(connection.entrance)) {
    timer_.arm(kit.loop.now() + kit.settings().timeout.header);
}

void ClientH1::on_ready() {
    if (stage_ == Stage::lingering) return linger();
    if (turn_ && turn_->exchange && turn_->exchange->in_tunnel())
        return turn_->exchange->on_client_tunnel_ready();
    if (stream_.writable() && sender_.waiting_bytes() > 0) {
        if (sender_.flush() == net::IoStatus::failed) return gone();
        if (turn_ && turn_->exchange) turn_->exchange->on_client_drained();
    }
    if (!stream_.readable()) return;
    if (!turn_ || !turn_->exchange) return read_head();
    if (!turn_->body_ended && turn_->exchange->wants_body()) return read_body();
    watch_for_close();
}

void ClientH1::on_timer(void* client, Time now) {
    auto& self = *static_cast<ClientH1*>(client);
    if (self.stage_ == Stage::lingering || !self.turn_) return self.destroy();
    if (self.turn_->exchange) return self.turn_->exchange->on_deadline(now);
    self.reject(
        {.reason = http::Reason::header_timeout, .detail = "the request head did not arrive in time"});
}

/// What was put off until the batch of events was handled.
void ClientH1::on_task(void* client) {
    auto& self = *static_cast<ClientH1*>(client);
    Turn& turn = *self.turn_;
    if (!turn.exchange) return self.take_head_bytes(turn.pending());
    if (turn.exchange->is_closed()) return self.finish_turn();
    if (!turn.body_ended && turn.exchange->wants_body()) self.read_body();
}

// ---- reading

void ClientH1::read_head() {
    auto got = stream_.read(kit_.read_room());
    switch (got.status) {
        case net::IoStatus::again: return;
        case net::IoStatus::closed:
        case net::IoStatus::failed: return destroy();
        case net::IoStatus::ok: break;
    }
    std::string_view bytes(kit_.slab.data(), got.bytes);
    if (!turn_) {
        turn_ = kit_.turns.make(kit_, *this);
    } else {
        stash(bytes);
        bytes = turn_->pending();
    }
    take_head_bytes(bytes);
}

/// `bytes` is all that there is of the head: in the slab, or the turn's own input.
void ClientH1::take_head_bytes(std::string_view bytes) {
    Turn& turn = *turn_;
    auto found = http::scan_head(bytes, turn.scan);
    if (stage_ == Stage::unheard && bytes.substr(0, turn.scan.looked_at) == http::H2Session::kPreface &&
        may_be_h2(*entrance_, stream_))
        return become_h2(bytes);
    if (found == http::ScanResult::complete)
        return start_exchange(bytes.substr(0, turn.scan.looked_at), bytes.substr(turn.scan.looked_at));
    if (found == http::ScanResult::bare_lf)
        return reject({.reason = http::Reason::bad_request, .detail = "a line ends without CR"});
    if (auto fault = http::check_partial_request(bytes, head_limits(kit_.settings().limits)))
        return reject(*fault);
    if (!turn.input) timer_.arm(kit_.loop.now() + kit_.settings().timeout.header);
    if (!turn.input || bytes.data() != turn.input.bytes() + turn.input_begin) stash(bytes);
    if (stream_.readable()) read_head();
}

/// Keeps bytes for later, behind those already kept.
void ClientH1::stash(std::string_view bytes) {
    Turn& turn = *turn_;
    size_t pending = turn.input_end - turn.input_begin;
    if (turn.input_end + bytes.size() > turn.input.capacity()) {
        Block room = kit_.blocks.take(pending + bytes.size());
        if (pending > 0) std::memcpy(room.bytes(), turn.input.bytes() + turn.input_begin, pending);
        turn.input = std::move(room);
        turn.input_begin = 0;
        turn.input_end = pending;
    }
    std::memcpy(turn.input.bytes() + turn.input_end, bytes.data(), bytes.size());
    turn.input_end += bytes.size();
}

/// The bytes lie in the slab, or in the turn, which lives on until the batch is over.
void ClientH1::become_h2(std::string_view bytes) {
    timer_.disarm();
    turn_->task.withdraw();
    set_.become_h2(*this, stream_, {.seat = std::move(seat_), .entrance = std::move(entrance_)}, bytes);
}

void ClientH1::start_exchange(std::string_view head, std::string_view rest) {
    Turn& turn = *turn_;
    stage_ = Stage::heard;
    bool from_input = turn.input && head.data() == turn.input.bytes() + turn.input_begin;
    Block block = Upload::take_block(kit_.blocks, head.size());
    std::memcpy(block.bytes(), head.data(), head.size());
    http::RequestHead& parsed = kit_.request_scratch;
    auto fault =
        http::parse_request_head({block.bytes(), head.size()}, head_limits(kit_.settings().limits), parsed);
    if (from_input) turn.input_begin += head.size();
    turn.is_http10 = parsed.version == http::Version::http10;
    turn.exchange.emplace(kit_, *this, facts());
    if (fault) return turn.exchange->reject(*fault, parsed, std::move(block));
    const bool is_astray = entrance_->tls != nullptr && stream_.tls() == nullptr;
    turn.keep_alive = parsed.keep_alive && !is_astray;
    if (!may_upgrade(parsed)) parsed.upgrade = {};
    turn.body = http::BodyReader(parsed.body);
    turn.exchange->begin(parsed, std::move(block), head.size());
    std::string_view left = feed_body(rest);
    if (!from_input) {
        if (!left.empty()) stash(left);
    } else {
        turn.input_begin = turn.input_end - left.size();
    }
    if (!turn.body_ended && turn.exchange->wants_body() && stream_.readable()) turn.task.post();
}

ClientFacts ClientH1::facts() const {
    return {.address = {turn_->address, turn_->address_length},
            .ip = seat_.peer(),
            .scheme = stream_.tls() == nullptr ? "http" : "https",
            .entrance = entrance_.get(),
            .tls = stream_.tls()};
}

/// The head is refused before it could be parsed: the log tells of no method and no target.
void ClientH1::reject(const http::HeadFault& fault) {
    Turn& turn = *turn_;
    turn.exchange.emplace(kit_, *this, facts());
    turn.exchange->reject(fault, kit_.blank_request(), Block());
}

void ClientH1::read_body() {
    Turn& turn = *turn_;
    if (turn.input_begin < turn.input_end) {
        turn.input_begin = turn.input_end - feed_body(turn.pending()).size();
        if (turn.input_begin < turn.input_end) return;
        turn.input.reset();
        turn.input_begin = turn.input_end = 0;
    }
    if (turn.body_ended || !turn.exchange->wants_body() || !stream_.readable()) return;
    auto got = stream_.read(kit_.read_room());
    switch (got.status) {
        case net::IoStatus::again: return;
        case net::IoStatus::closed:
        case net::IoStatus::failed: return gone();
        case net::IoStatus::ok: break;
    }
    std::string_view left = feed_body({kit_.slab.data(), got.bytes});
    if (!left.empty()) stash(left);
    if (!turn.body_ended && stream_.readable() && turn.exchange->wants_body()) turn.task.post();
}

/// Returns what is not part of the body, or not wanted yet.
std::string_view ClientH1::feed_body(std::string_view bytes) {
    Turn& turn = *turn_;
    while (!turn.body.done() && !bytes.empty() && turn.exchange->wants_body()) {
        auto step = turn.body.next(bytes);
        bytes.remove_prefix(step.consumed);
        if (!step.payload.empty()) turn.exchange->on_request_body(step.payload);
        if (turn.body.failed()) {
            turn.exchange->on_request_body_fault(turn.body.fault());
            return {};
        }
    }
    if (turn.body.done() && !turn.body_ended) {
        turn.body_ended = true;
        turn.ended_with_request = stream_.peer_closed();
        stream_.settle();
        turn.exchange->on_request_end(turn.body.trailers());
    }
    return bytes;
}

/// Nothing is wanted of the client now, but it may be leaving, or send its next request early.
void ClientH1::watch_for_close() {
    // Whoever sends a request and its end in one go wants that one answer. An end that comes later means that
    // nobody waits for the answer any more; within a request, the bytes in front of the end are still to be
    // read.
    bool has_left = turn_->body_ended && stream_.peer_closed() && !turn_->ended_with_request;
    auto status = has_left ? net::IoStatus::closed : stream_.peek().status;
    if (status == net::IoStatus::closed && turn_->ended_with_request) return;
    if (status == net::IoStatus::closed || status == net::IoStatus::failed) gone();
}

// ---- writing

void ClientH1::send_continue() {
    if (turn_->is_http10) return;
    sender_.raw("HTTP/1.1 100 Continue\r\n\r\n");
    flush();
}

void ClientH1::send_interim(const http::ResponseHead& head) {
    if (!turn_->is_http10) sender_.interim(head);
}

void ClientH1::send_head(const http::ResponseHead& head, http::Body body, std::string_view request_id) {
    Turn& turn = *turn_;
    http::ResponseFacts facts{
        .client_version = turn.is_http10 ? http::Version::http10 : http::Version::http11,
        .body = body,
        .request_id = request_id,
        .date = kit_.date.at(kit_.loop.calendar_time())};
    bool endless = body.framing == http::Framing::chunked || body.framing == http::Framing::until_close;
    if (endless) facts.body.framing = turn.is_http10 ? http::Framing::until_close : http::Framing::chunked;
    // A request that was not read to its end leaves bytes behind that belong to no request.
    turn.ends_by_close = facts.body.framing == http::Framing::until_close;
    bool request_is_over = turn.body_ended || turn.body.done();
    turn.keep_alive = turn.keep_alive && request_is_over && !kit_.draining && !turn.ends_by_close;
    facts.keep_alive = turn.keep_alive;
    sender_.head(head, facts);
}

void ClientH1::send_cut() {
    turn_->cut = true;
    turn_->keep_alive = false;
}

void ClientH1::flush() {
    if (sender_.flush() == net::IoStatus::failed) gone();
}

net::Stream* ClientH1::become_tunnel() {
    turn_->keep_alive = false;
    return &stream_;
}

// ---- ending

void ClientH1::gone() {
    if (!turn_ || !turn_->exchange) return destroy();
    abort();
    turn_->exchange->on_client_gone();
}

void ClientH1::abort() {
    turn_->keep_alive = false;
    sender_.clear();
    stream_.reset_on_close();
    stream_.close();
}

void ClientH1::finish_turn() {
    Turn& turn = *turn_;
    turn.exchange->close_books();
    if (!stream_.is_open()) return destroy();
    if (turn.ends_by_close && turn.cut) {
        // Only a reset tells this client that there should have been more.
        stream_.reset_on_close();
        return destroy();
    }
    if (!turn.keep_alive) return close_gently();
    next_turn();
}

void ClientH1::next_turn() {
    Turn& turn = *turn_;
    Time now = kit_.loop.now();
    if (turn.input_begin == turn.input_end) {
        turn_.reset();
        if (kit_.draining && !stream_.readable()) return destroy();
        timer_.arm(now + kit_.settings().timeout.keepalive);
        if (stream_.readable()) read_head();
        return;
    }
    turn.exchange.reset();
    turn.scan = {};
    turn.body = {};
    turn.body_ended = turn.keep_alive = turn.is_http10 = false;
    timer_.arm(now + kit_.settings().timeout.header);
    take_head_bytes(turn.pending());
}

/// The answer says that the connection closes. While the client may still be sending, closing would reset it
/// and could take the answer away.
void ClientH1::close_gently() {
    bool may_send_more = !turn_->body_ended || turn_->input_begin < turn_->input_end || stream_.readable();
    // Under TLS the end of such an answer is a record, for which the socket may have no room yet.
    bool is_end_said_inside = turn_->ends_by_close && stream_.tls() != nullptr;
    if (!may_send_more && !is_end_said_inside) return destroy();
    stream_.shut_write();
    stage_ = Stage::lingering;
    turn_.reset();
    timer_.arm(kit_.loop.now() + (stream_.end_is_due() ? kPatience : kLinger));
    linger();
}

void ClientH1::linger() {
    if (!goes_on_lingering(stream_, kit_.slab)) destroy();
}

void ClientH1::drain() {
    if (turn_ || stage_ == Stage::lingering) return;
    const net::IoStatus status = stream_.peek().status;
    // One that has asked already is answered: its bytes wait in the kernel, and its event is on the way.
    if (status == net::IoStatus::ok) return;
    if (status != net::IoStatus::again || stage_ != Stage::unheard) return destroy();
    timer_.arm(kit_.loop.now() + std::min(kFirstWords, kit_.settings().timeout.header));
}

void ClientH1::shut() {
    if (turn_ && turn_->exchange) {
        gone();
        turn_->exchange->close_books();
    }
    destroy();
}

void ClientH1::destroy() {
    timer_.disarm();
    turn_.reset();
    stream_.close();
    set_.remove(*this);
}

}  // namespace weir::proxy
