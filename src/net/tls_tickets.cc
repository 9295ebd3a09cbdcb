#include "net/tls_tickets.h"

#include <openssl/ssl.h>

#include <utility>

namespace weir::net {

void FreeTicket::operator()(SSL_SESSION* ticket) const { SSL_SESSION_free(ticket); }

void TlsTickets::keep(OwnedTicket ticket) {
    std::lock_guard lock(mutex_);
    if (tickets_.size() == kMost) tickets_.erase(tickets_.begin());
    tickets_.push_back(std::move(ticket));
}

OwnedTicket TlsTickets::take() {
    std::lock_guard lock(mutex_);
    while (!tickets_.empty()) {
        SSL_SESSION* newest = tickets_.back().get();
        if (SSL_SESSION_is_resumable(newest) == 0) {
            tickets_.pop_back();
            continue;
        }
        if (SSL_SESSION_get_protocol_version(newest) <= TLS1_2_VERSION) {
            SSL_SESSION_up_ref(newest);
            return OwnedTicket(newest);
        }
        OwnedTicket taken = std::move(tickets_.back());
        tickets_.pop_back();
        return taken;
    }
    return nullptr;
}

size_t TlsTickets::size() const {
    std::lock_guard lock(mutex_);
    return tickets_.size();
}

}  // namespace weir::net
