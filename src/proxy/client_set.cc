#include "proxy/client_set.h"

#include "base/log.h"
#include "proxy/connection_gate.h"

namespace weir::proxy {

namespace {
/// A flood of refusals is one line in this time.
constexpr Duration kNoticePeriod = std::chrono::seconds(10);
}  // namespace

ClientSet::~ClientSet() { shut(); }

void ClientSet::add(net::Fd fd, const net::IpAddress& peer, const Entrance& entrance) {
    if (!kit_.gate.enter(peer)) return notice_refusal(peer);
    const bool is_ready = !entrance.has_proxy_header && entrance.tls == nullptr;
    if (!is_ready) return reception_.add(std::move(fd), peer, entrance);
    welcome({.fd = std::move(fd), .tls = nullptr, .client = peer, .entrance = entrance});
}

void ClientSet::welcome(Connection connection) {
    clients_.push_back(std::make_unique<ClientH1>(kit_, *this, std::move(connection)));
    clients_.back()->slot = clients_.size() - 1;
}

void ClientSet::notice_refusal(const net::IpAddress& peer) {
    Time now = kit_.loop.now();
    if (now < next_notice_) return;
    next_notice_ = now + kNoticePeriod;
    char text[net::IpAddress::kMaxText];
    log::warning(
        "connections are closed unserved, {} so far: clients.max_connections or max_connections_per_ip is "
        "reached; the "
        "last one came from {}",
        kit_.gate.refused(), std::string_view(text, peer.write(text)));
}

void ClientSet::remove(ClientH1& client) {
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
