// The client connections of one worker.
#pragma once

#include <memory>
#include <vector>

#include "net/socket.h"
#include "proxy/client_h1.h"
#include "proxy/reception.h"

namespace weir::proxy {

/// Thread: its worker's. Owns the connections.
class ClientSet {
  public:
    explicit ClientSet(Kit& kit) : kit_(kit), reception_(kit, *this) {}
    ~ClientSet();
    ClientSet(const ClientSet&) = delete;
    ClientSet& operator=(const ClientSet&) = delete;

    /// Closes the connection at once where the gate is full.
    void add(net::Fd fd, const net::IpAddress& peer, const Entrance& entrance);
    /// Begins to serve one that has passed the gate and can carry requests. What is spoken there, `tls` knows
    /// (TlsSession::protocol).
    void welcome(Connection connection);
    void remove(ClientH1& client);
    /// Closes the idle ones; the others close behind the answer they wait for.
    void drain();
    /// Closes all, whatever they wait for.
    void shut();
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] size_t size() const { return clients_.size() + reception_.size(); }

    /// The gate is full for one more of this address: tells of it, now and then.
    void notice_refusal(const net::IpAddress& peer);

  private:
    Kit& kit_;
    Time next_notice_{};
    std::vector<std::unique_ptr<ClientH1>> clients_;  ///< ClientH1::slot is the index
    Reception reception_;
};

}  // namespace weir::proxy
