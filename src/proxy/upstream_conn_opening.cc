// How a connection to the app comes by its socket: from the network, or from another worker.
#include <utility>

#include "proxy/kit.h"
#include "proxy/upstream_conn.h"
#include "proxy/upstream_pool.h"

namespace weir::proxy {

namespace {

/// The others may be an app that is going or coming.
bool is_lasting(net::TlsFault::Kind kind) {
    using Kind = net::TlsFault::Kind;
    switch (kind) {
        case Kind::untrusted:
        case Kind::other_name:
        case Kind::expired:
        case Kind::not_yet_valid:
        case Kind::not_tls:
        case Kind::too_old:
        case Kind::unlike: return true;
        case Kind::none:
        case Kind::no_certificate:
        case Kind::refused:
        case Kind::ended:
        case Kind::broken: return false;
    }
    return false;
}

}  // namespace

void UpstreamConn::wait_for_berth(BerthParty& party, bool takes_used) { wish_.emplace(party, takes_used); }

std::optional<BerthWish::Granted> UpstreamConn::claim_berth() {
    auto granted = wish_->claim();
    if (granted) wish_.reset();
    return granted;
}

void UpstreamConn::connect(Berth berth, net::Fd fd, size_t address_index) {
    wish_.reset();
    berth_ = std::move(berth);
    address_index_ = address_index;
    opened_at_ = kit_.loop.now();
    is_outdated_ = false;
    state_ = State::connecting;
    stream_.open(kit_.loop, {.fd = std::move(fd), .tls = tls_ ? tls_->session() : nullptr});
}

void UpstreamConn::take_over(HandedOver connection, size_t address_index) {
    berth_ = std::move(connection.berth);
    address_index_ = address_index;
    requests_ += connection.requests;
    opened_at_ = connection.opened_at;
    was_idle_ = kit_.loop.now() - connection.idle_since;
    announced_idle_ = connection.announced_idle;
    is_outdated_ = false;
    state_ = State::taken_over;
    stream_.open(kit_.loop, std::move(connection.parts));
    sent_before_ = stream_.sent_bytes();
}

void UpstreamConn::fail_soon(Berth berth, const Error& error, size_t address_index) {
    wish_.reset();
    berth_ = std::move(berth);
    address_index_ = address_index;
    failure_ = error;
    state_ = State::failing;
    task_.post();
}

std::unique_ptr<HandedOver> UpstreamConn::hand_over(const net::SocketAddress& address) {
    auto connection = std::make_unique<HandedOver>(HandedOver{.berth = std::move(berth_),
                                                              .parts = stream_.release(),
                                                              .address = address,
                                                              .requests = requests_,
                                                              .opened_at = opened_at_,
                                                              .idle_since = idle_since_,
                                                              .announced_idle = announced_idle_});
    state_ = State::closed;
    return connection;
}

void UpstreamConn::finish_connect() {
    if (!stream_.writable() && !stream_.readable()) return;
    if (int error = net::socket_error(stream_.fd()); error != 0)
        return fail_connect({.reason = http::Reason::upstream_connect,
                             .retry = Retry::always,
                             .detail = "the app does not accept connections",
                             .system_error = error});
    if (!stream_.writable()) return;
    state_ = State::securing;
    secure();
}

/// What it was told first, by being watched on this loop, says whether the app has closed it.
void UpstreamConn::begin_reuse() {
    if (!stream_.has_input()) return be_connected();
    pool_.note_closed_after(was_idle_);
    fail({.reason = http::Reason::upstream_reset,
          .retry = Retry::if_unprocessed,
          .detail = "the app closed the connection without an answer"});
}

/// A plain connection is ready at once.
void UpstreamConn::secure() {
    auto secured = stream_.handshake();
    switch (secured.status) {
        case net::IoStatus::ok: pool_.note_connected(*this); return be_connected();
        case net::IoStatus::again: return;
        case net::IoStatus::closed:
        case net::IoStatus::failed: break;
    }
    tls_failure_ = tls_->describe(stream_.tls()->fault());
    tls_->note_failure(tls_failure_);
    fail_connect({.reason = http::Reason::upstream_connect,
                  .retry = Retry::always,
                  .detail = tls_failure_,
                  .is_lasting = is_lasting(stream_.tls()->fault().kind)});
}

void UpstreamConn::be_connected() {
    if (user_ == nullptr) {
        state_ = State::idle;
        idle_since_ = kit_.loop.now();
        return pool_.keep_idle(*this);
    }
    state_ = State::leased;
    sent_before_ = stream_.sent_bytes();
    UpstreamUser* user = user_;
    user->on_connected();
    // An app may speak first ("503 busy"): its words came together with the connection.
    if (state_ == State::leased && user_ == user && !paused_ && stream_.readable()) task_.post();
}

void UpstreamConn::fail_connect(const Error& error) {
    if (user_ != nullptr) return fail(error);
    pool_.drop_idle(*this);
}

}  // namespace weir::proxy
