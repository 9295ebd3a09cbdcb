// What a server gave to take up TLS with it again: the next handshake costs it no signature.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace weir::net {

struct FreeTicket {
    void operator()(ssl_session_st* ticket) const;
};
using OwnedTicket = std::unique_ptr<ssl_session_st, FreeTicket>;

/// Of one server; any thread. Bounded: the newest are kept. A ticket stands for a server that has proven who
/// it is, for as long as the server said (RFC 8446, 4.6.1: at most 7 days).
class TlsTickets {
  public:
    static constexpr size_t kMost = 16;

    void keep(OwnedTicket ticket);
    /// The newest one; null where there is none. One of TLS 1.3 is handed out once (RFC 8446, C.4), one of
    /// TLS 1.2 as often as it is asked for.
    OwnedTicket take();
    [[nodiscard]] size_t size() const;

  private:
    mutable std::mutex mutex_;
    std::vector<OwnedTicket> tickets_;  ///< the newest is last
};

}  // namespace weir::net
