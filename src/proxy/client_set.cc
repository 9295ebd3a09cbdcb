#include "proxy/client_set.h"

#include "base/log.h"
#include "proxy/client_h1.h"
#include "proxy/client_h2.h"
#include "proxy/connection_gate.h"

namespace weir::proxy {

ClientSet::~ClientSet() { shut(); }

void ClientSet::add(net::Fd fd, const net::IpAddress& peer, const SharedEntrance& entrance) {
    if (!kit_.gate.enter(peer)) return notice_refusal(peer);
    const bool is_ready = !entrance->has_proxy_header && entrance->tls == nullptr;
    if (!is_ready) return reception_.add(std::move(fd), peer, entrance);
    welcome({.fd = std::move(fd), .tls = nullptr, .seat = GateSeat(kit_.gate, peer), .entrance = entrance});
}

void ClientSet::welcome(Connection connection) {
    clients_.push_back(std::make_unique<ClientH1>(kit_, *this, std::move(connection)));
    clients_.back()->slot = clients_.size() - 1;
    if (kit_.draining) clients_.back()->drain();
}

void ClientSet::become_h2(Client& former, net::Stream& stream, Origin origin, std::string_view bytes) {
    auto next = std::make_unique<ClientH2>(kit_, *this, stream, std::move(origin));
    ClientH2& client = *next;
    client.slot = former.slot;
    kit_.loop.retire(std::exchange(clients_[former.slot], std::move(next)));
    client.start(bytes);
}

void ClientSet::notice_refusal(const net::IpAddress& peer) {
    if (!refusal_notice_.is_due(kit_.loop.now())) return;
    char text[net::IpAddress::kMaxText];
    log::warning(
        "connections are closed unserved, {} so far: clients.max_connections or max_connections_per_ip is "
        "reached; the last one came from {}",
        kit_.gate.refused(), std::string_view(text, peer.write(text)));
}

void ClientSet::notice_flood(const net::IpAddress& peer, policy::Flood kind) {
    if (!flood_notice_.is_due(kit_.loop.now())) return;
    char text[net::IpAddress::kMaxText];
    log::warning("an HTTP/2 connection from {} is ended for a flood of {}; weir_h2_floods_total counts them",
                 std::string_view(text, peer.write(text)), policy::name_of(kind));
}

void ClientSet::remove(Client& client) {
    size_t slot = client.slot;
    kit_.loop.retire(std::move(clients_[slot]));
    if (slot + 1 != clients_.size()) {
        clients_[slot] = std::move(clients_.back());
        clients_[slot]->slot = slot;
    }
    clients_.pop_back();
}

void ClientSet::drain() {
    reception_.drain();
    // From the back: a client that closes is replaced by one that has been asked already.
    for (size_t index = clients_.size(); index > 0; --index) clients_[index - 1]->drain();
}

void ClientSet::shut() {
    reception_.shut();
    while (!clients_.empty()) clients_.back()->shut();
}

}  // namespace weir::proxy
