#include "proxy/arrival.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/log.h"
#include "http/proxy_header.h"
#include "net/tls_server_context.h"
#include "proxy/client.h"
#include "proxy/connection_gate.h"
#include "proxy/kit.h"
#include "proxy/reception.h"

namespace weir::proxy {

namespace {

/// Of the type of a record (RFC 8446, 5.1), the only one that a client begins with.
constexpr char kHandshakeRecord = 22;

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::string text_of(const net::IpAddress& address) {
    std::string text(net::IpAddress::kMaxText, '\0');
    text.resize(address.write(text.data()));
    return text;
}

}  // namespace

Arrival::Arrival(Kit& kit, Reception& reception, net::Fd fd, const net::IpAddress& peer,
                 const SharedEntrance& entrance)
    : kit_(kit),
      reception_(reception),
      entrance_(entrance),
      client_(peer),
      phase_(entrance->has_proxy_header ? Phase::proxy_header : Phase::hello),
      deadline_(kit.loop.now() + kit.settings().timeout.header),
      stream_(kit.loop, std::move(fd), *this),
      timer_(kit.loop.timers(), &Arrival::on_timer, this) {
    timer_.arm(deadline_);
}

net::Stream::Parts Arrival::release() {
    timer_.disarm();
    return stream_.release();
}

void Arrival::close() {
    timer_.disarm();
    stream_.close();
}

void Arrival::on_ready() {
    if (!stream_.readable()) return;
    timer_.arm(deadline_);
    if (phase_ == Phase::proxy_header) return read_proxy_header();
    reception_.line_up(*this);
}

void Arrival::drain() {
    if (is_silent()) timer_.arm(std::min(deadline_, kit_.loop.now() + kFirstWords));
}

bool Arrival::is_silent() const {
    char byte;
    return phase_ != Phase::handshake && stream_.look({&byte, 1}).status != net::IoStatus::ok;
}

void Arrival::on_timer(void* arrival, Time) {
    auto& self = *static_cast<Arrival*>(arrival);
    // It has done nothing wrong.
    if (self.kit_.draining && self.is_silent()) return self.reception_.turn_away(self);
    if (self.phase_ == Phase::proxy_header) {
        self.fail(ProxyHeaderFailure::timeout, "it did not come in time");
    } else {
        self.fail(HandshakeFailure::timeout, "it did not end in time");
    }
}

// ---- the PROXY header

/// Leaves the bytes with the kernel until the header is whole, since what is behind it is for somebody else.
void Arrival::read_proxy_header() {
    if (!kit_.plan().identity.trusts(client_)) return fail(ProxyHeaderFailure::untrusted, kUntrustedPeer);
    auto seen = stream_.look(std::span(kit_.slab).first(http::kMaxProxyHeader));
    if (seen.status == net::IoStatus::again) return;
    if (seen.status != net::IoStatus::ok) return fail(ProxyHeaderFailure::ended, "the peer has left");
    const auto header = http::read_proxy_header({kit_.slab.data(), seen.bytes});
    switch (header.state) {
        case http::ProxyHeader::State::malformed: return fail(ProxyHeaderFailure::malformed, header.fault);
        case http::ProxyHeader::State::incomplete:
            if (stream_.peer_closed()) fail(ProxyHeaderFailure::ended, "the peer has left within it");
            return;
        case http::ProxyHeader::State::complete: break;
    }
    (void)stream_.read(std::span(kit_.slab).first(header.length));
    if (header.source && !move_to({*header.source})) return;
    if (entrance_->tls == nullptr) return reception_.let_in(*this);
    phase_ = Phase::hello;
    if (kit_.draining) drain();
    reception_.line_up(*this);
}

/// False where the client may not have another connection, which ends this one.
bool Arrival::move_to(const net::IpAddress& client) {
    const bool has_room = kit_.gate.rename(client_, client);
    if (has_room) {
        client_ = client;
    } else {
        reception_.turn_away(*this, client);
    }
    return has_room;
}

// ---- TLS

void Arrival::shake() {
    if (phase_ == Phase::hello) begin_tls();
    if (phase_ != Phase::handshake) return;
    auto shaken = stream_.handshake();
    if (shaken.status == net::IoStatus::again) return;
    const net::TlsSession& tls = *stream_.tls();
    if (shaken.status != net::IoStatus::ok) return fail(failure_of(tls.fault()), tls.fault().cause);
    ArrivalFigures& figures = kit_.metrics->arrivals();
    (tls.was_resumed() ? figures.resumed_handshakes : figures.full_handshakes).add();
    reception_.let_in(*this);
}

/// By its first byte: what looks like HTTP gets an answer that its sender can read.
void Arrival::begin_tls() {
    char first;
    auto seen = stream_.look({&first, 1});
    if (seen.status == net::IoStatus::again) return;
    if (seen.status != net::IoStatus::ok) return fail(HandshakeFailure::ended, "the client has left");
    if (first == kHandshakeRecord) {
        stream_.secure(entrance_->tls->context()->session());
        phase_ = Phase::handshake;
    } else if (is_letter(first)) {
        kit_.metrics->arrivals().failed_handshakes[static_cast<size_t>(HandshakeFailure::plain_http)].add();
        reception_.let_in(*this);
    } else {
        fail(HandshakeFailure::not_tls, "the first byte is none of TLS");
    }
}

void Arrival::fail(HandshakeFailure failure, std::string_view cause) {
    kit_.metrics->arrivals().failed_handshakes[static_cast<size_t>(failure)].add();
    log::debug("{}: the TLS handshake failed ({}): {}", text_of(client_), name_of(failure), cause);
    reception_.turn_away(*this);
}

void Arrival::fail(ProxyHeaderFailure failure, std::string_view cause) {
    kit_.metrics->arrivals().refused_headers[static_cast<size_t>(failure)].add();
    log::debug("{}: no PROXY header ({}): {}", text_of(client_), name_of(failure), cause);
    reception_.turn_away(*this);
}

}  // namespace weir::proxy
