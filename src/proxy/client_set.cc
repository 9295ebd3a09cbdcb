#include "proxy/client_set.h"

#include "proxy/connection_gate.h"

namespace weir::proxy {

ClientSet::~ClientSet() { shut(); }

void ClientSet::add(net::Fd fd, const net::IpAddress& peer) {
    if (!kit_.gate.enter(peer)) return;
    clients_.push_back(std::make_unique<ClientH1>(kit_, *this, std::move(fd), peer));
    clients_.back()->slot = clients_.size() - 1;
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
    // From the back: a client that closes is replaced by one that has been asked already.
    for (size_t index = clients_.size(); index > 0; --index) clients_[index - 1]->drain();
}

void ClientSet::shut() {
    while (!clients_.empty()) clients_.back()->shut();
}

}  // namespace weir::proxy
