#include "proxy/upstream_conn.h"

#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "http/head_parser.h"
#include "proxy/kit.h"
#include "proxy/upstream_pool.h"

namespace weir::proxy {

namespace {
constexpr uint8_t kMaxInterimHeads = 32;
constexpr int kMaxAnnouncedIdle = 86400;
/// An app that writes head and body apart may die in between, and is then mid-answer for some microseconds.
/// For so long a whole head waits for the first of its body: until then the answer is nobody's, and may be
/// another one yet, and both go out in one write. A body of unknown length may take hours to begin.
constexpr Duration kHeadPatience = std::chrono::milliseconds(10);

/// What a TLS server says to whoever speaks plain HTTP to it: an alert (RFC 8446, 5.1).
bool is_tls_alert(std::string_view bytes) { return bytes.starts_with("\x15\x03"); }

}  // namespace

UpstreamConn::UpstreamConn(Kit& kit, UpstreamPool& pool)
    : kit_(kit),
      pool_(pool),
      tls_(pool.tls()),
      stream_(*this),
      task_(kit.loop, &UpstreamConn::on_task, this),
      head_timer_(
          kit.loop.timers(), [](void* self, Time) { static_cast<UpstreamConn*>(self)->pass_held_head(); },
          this),
      opened_at_(kit.loop.now()),
      idle_since_(opened_at_) {}

void UpstreamConn::lease_to(UpstreamUser& user) {
    user_ = &user;
    ++requests_;
    sent_before_ = stream_.sent_bytes();
    paused_ = request_sent_ = has_answered_ = head_done_ = head_is_held_ = keep_alive_ = reusable_ = false;
    interim_heads_ = 0;
    partial_bytes_ = 0;
    scan_ = {};
    if (state_ != State::idle) return;
    state_ = State::leased;
    was_idle_ = kit_.loop.now() - idle_since_;
}

bool UpstreamConn::end_lease() {
    user_ = nullptr;
    task_.withdraw();
    head_timer_.disarm();
    if (state_ != State::leased || !reusable_ || stream_.peer_closed()) return false;
    state_ = State::idle;
    idle_since_ = kit_.loop.now();
    return true;
}

void UpstreamConn::close() {
    state_ = State::closed;
    task_.withdraw();
    stream_.close();
    wish_.reset();
    berth_.drop();
}

net::IoResult UpstreamConn::write(std::span<const iovec> pieces) {
    auto result = stream_.write(pieces);
    if (result.status == net::IoStatus::failed) {
        // This says less than what the app may still have sent before: whoever reads will know.
        stream_.expect_end();
        task_.post();
    }
    return result;
}

void UpstreamConn::resume_reading() {
    if (!paused_) return;
    paused_ = false;
    if (stream_.readable()) task_.post();
}

void UpstreamConn::pass_to(UpstreamUser& user) {
    user_ = &user;
    paused_ = false;
    if (stream_.readable()) task_.post();  // whoever reads at this moment stops with its user
}

bool UpstreamConn::none_delivered() const {
    return stream_.sent_bytes() == sent_before_ ||
           (peer_finished_ && net::none_delivered_since(stream_.fd(), sent_before_));
}

std::string_view UpstreamConn::what_is_late() const {
    return state_ == State::securing ? "the app did not finish the TLS handshake in time"
                                     : "the app did not accept the connection in time";
}

void UpstreamConn::on_ready() {
    switch (state_) {
        case State::taken_over: return begin_reuse();
        case State::connecting: return finish_connect();
        case State::securing: return secure();
        case State::tunnel: return user_->on_tunnel_ready();
        case State::idle:
            // An idle connection has nothing to say: this is its end, or bytes that belong to no request.
            if (stream_.has_input()) pool_.drop_closed(*this);
            return;
        case State::leased: {
            UpstreamUser* user = user_;
            if (stream_.readable() && !paused_) read_turn();
            if (state_ == State::leased && user_ == user && stream_.writable()) user->on_upstream_writable();
            return;
        }
        case State::waiting:
        case State::failing:
        case State::closed: return;
    }
}

void UpstreamConn::on_task(void* conn) {
    auto& self = *static_cast<UpstreamConn*>(conn);
    if (self.state_ == State::failing) return self.fail_connect(self.failure_);
    if (self.state_ == State::leased && !self.paused_ && self.stream_.readable()) self.read_turn();
}

void UpstreamConn::read_turn() {
    UpstreamUser* user = user_;
    // The user keeps views until the turn ends, so each read goes behind the one before.
    std::span<char> room = kit_.read_room();
    auto goes_on = [&] { return state_ == State::leased && user_ == user && !paused_ && stream_.readable(); };
    while (goes_on() && !room.empty()) room = room.subspan(read_once(room));
    user->on_read_turn_end();
    assert(kit_.gather.empty());
    // Not before: what the user sends on may lie behind a head that came in pieces.
    if (user_ == nullptr) partial_head_.reset();
    if (goes_on()) task_.post();
}

size_t UpstreamConn::read_once(std::span<char> room) {
    auto got = stream_.read(room);
    switch (got.status) {
        case net::IoStatus::ok:
            note_answer();
            consume({room.data(), got.bytes});
            break;
        case net::IoStatus::again: break;
        case net::IoStatus::closed:
        case net::IoStatus::failed: on_end(got); break;
    }
    return got.bytes;
}

/// Not before the first byte is all well: a server that wants a certificate of weir says so behind the
/// handshake.
void UpstreamConn::note_answer() {
    if (!has_answered_ && tls_) tls_->note_success();
    has_answered_ = true;
}

/// Ends early when the user drops its lease or the connection fails.
void UpstreamConn::consume(std::string_view bytes) {
    UpstreamUser* user = user_;
    while (!bytes.empty() && state_ == State::leased && user_ == user)
        bytes = head_done_ ? take_body(bytes) : take_head(bytes);
}

/// Returns what is left behind the head; empty where the head is not whole yet.
std::string_view UpstreamConn::take_head(std::string_view bytes) {
    if (std::exchange(head_is_held_, false)) {
        head_timer_.disarm();
        return on_head({partial_head_.bytes(), partial_bytes_}, bytes);
    }
    bool stashed = partial_bytes_ > 0;
    if (stashed) {
        stash(bytes);
        bytes = {partial_head_.bytes(), partial_bytes_};
    }
    if (!tls_ && is_tls_alert(bytes)) {
        fail({.reason = http::Reason::upstream_protocol,
              .detail = "the app speaks TLS: its URL has to begin with https://"});
        return {};
    }
    auto result = scan_head(bytes, scan_);
    if (result == http::ScanResult::complete)
        return on_head(bytes.substr(0, scan_.looked_at), bytes.substr(scan_.looked_at));
    if (result == http::ScanResult::bare_lf || bytes.size() > http::kMaxResponseHeadBytes) {
        fail({.reason = http::Reason::upstream_protocol,
              .detail = "the app's response head is not valid HTTP"});
        return {};
    }
    if (!stashed) stash(bytes);
    return {};
}

void UpstreamConn::stash(std::string_view bytes) {
    size_t needed = partial_bytes_ + bytes.size();
    if (needed > partial_head_.capacity()) {
        Block larger = kit_.blocks.take(needed);
        if (partial_bytes_ > 0) std::memcpy(larger.bytes(), partial_head_.bytes(), partial_bytes_);
        partial_head_ = std::move(larger);
    }
    // Behind an interim head, `bytes` lie in this very block.
    std::memmove(partial_head_.bytes() + partial_bytes_, bytes.data(), bytes.size());
    partial_bytes_ = needed;
}

std::string_view UpstreamConn::on_head(std::string_view head, std::string_view rest) {
    auto& parsed = kit_.response_scratch;
    scan_ = {};
    partial_bytes_ = 0;  // the block itself stays until the lease ends: `head` and `rest` may lie in it
    if (auto fault = http::parse_response_head(head, parsed)) {
        fail({.reason = http::Reason::upstream_protocol, .detail = fault->detail});
        return {};
    }
    if (parsed.status == 101) {
        state_ = State::tunnel;
        berth_.drop();  // it may live for days, as the request's slots do not
        user_->on_upgraded(parsed, rest);
        return {};
    }
    if (parsed.status < 200) {
        if (++interim_heads_ > kMaxInterimHeads) {
            fail({.reason = http::Reason::upstream_protocol,
                  .detail = "the app sent too many interim responses"});
        } else if (parsed.status != 100) {
            user_->on_interim(parsed);
        }
        return rest;
    }
    http::Body body = http::response_body(parsed, method_);
    if (rest.empty() && body.framing == http::Framing::length && body.length > 0) {
        stash(head);
        head_is_held_ = true;
        head_timer_.arm(kit_.loop.now() + kHeadPatience);
        return {};
    }
    return pass_head(parsed, body, rest);
}

void UpstreamConn::pass_held_head() {
    head_is_held_ = false;
    UpstreamUser* user = user_;
    auto& parsed = kit_.response_scratch;
    [[maybe_unused]] const auto fault =
        http::parse_response_head({partial_head_.bytes(), partial_bytes_}, parsed);
    assert(!fault);  // it has been parsed before
    partial_bytes_ = 0;
    (void)pass_head(parsed, http::response_body(parsed, method_), {});
    user->on_read_turn_end();
    if (user_ == nullptr) partial_head_.reset();
}

std::string_view UpstreamConn::pass_head(http::ResponseHead& parsed, http::Body body, std::string_view rest) {
    head_done_ = true;
    body_ = http::BodyReader(body);
    keep_alive_ = parsed.keep_alive && body.framing != http::Framing::until_close;
    note_keep_alive(parsed);
    if (reused()) pool_.note_reused_after(was_idle_);
    user_->on_response_head(parsed, body);
    if (state_ == State::leased && user_ != nullptr && body_.done()) {
        response_done(rest.empty());
        return {};
    }
    return rest;
}

std::string_view UpstreamConn::take_body(std::string_view bytes) {
    auto step = body_.next(bytes);
    bytes.remove_prefix(step.consumed);
    UpstreamUser* user = user_;
    if (!step.payload.empty()) user->on_response_body(step.payload);
    if (user_ != user || state_ != State::leased) return {};
    if (body_.failed()) {
        fail({.reason = http::Reason::upstream_protocol, .detail = body_.fault().detail});
        return {};
    }
    if (!body_.done()) return bytes;
    response_done(bytes.empty());
    return {};
}

/// `clean`: nothing came behind the response. Something that did belongs to no request, so nobody may read
/// on.
void UpstreamConn::response_done(bool clean) {
    reusable_ = keep_alive_ && clean && request_sent_;
    stream_.settle();
    user_->on_response_end(body_.trailers());
}

void UpstreamConn::on_end(const net::IoResult& got) {
    peer_finished_ = got.status == net::IoStatus::closed || got.error == EPIPE;
    bool whole = got.status == net::IoStatus::closed && head_done_ && body_.close();
    if (whole) return user_->on_response_end(body_.trailers());
    if (!has_answered_ && reused()) pool_.note_closed_after(was_idle_);
    const Retry retry = retry_after_end();
    if (stream_.tls() != nullptr && stream_.tls()->fault().kind != net::TlsFault::Kind::none) {
        tls_failure_ = tls_->describe(stream_.tls()->fault());
        tls_->note_failure(tls_failure_);
        return fail({.reason = http::Reason::upstream_reset, .retry = retry, .detail = tls_failure_});
    }
    fail({.reason = http::Reason::upstream_reset,
          .retry = retry,
          .detail = has_answered_ ? "the app closed the connection in the middle of its answer"
                                  : "the app closed the connection without an answer",
          .system_error = got.error});
}

Retry UpstreamConn::retry_after_end() const {
    if (!has_answered_) return Retry::if_unprocessed;
    return head_done_ ? Retry::no : Retry::if_idempotent;
}

void UpstreamConn::fail(const Error& error) { user_->on_upstream_failed(error); }

void UpstreamConn::note_keep_alive(const http::ResponseHead& head) {
    for (const http::Field& field : head.fields) {
        if (field.id != http::FieldId::keep_alive) continue;
        constexpr std::string_view kTimeout = "timeout=";
        size_t at = field.value.find(kTimeout);
        if (at == std::string_view::npos) continue;
        int seconds = 0;
        auto text = field.value.substr(at + kTimeout.size());
        auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (status == std::errc() && seconds > 0 && seconds <= kMaxAnnouncedIdle)
            announced_idle_ = std::chrono::seconds(seconds);
    }
}

}  // namespace weir::proxy
