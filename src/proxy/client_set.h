// The client connections of one worker.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "net/socket.h"
#include "net/stream.h"
#include "proxy/client.h"
#include "proxy/connection_gate.h"
#include "proxy/kit.h"

namespace weir::proxy {

/// Thread: its worker's. Owns the connections.
class ClientSet {
  public:
    explicit ClientSet(Kit& kit) : kit_(kit) {}
    ~ClientSet();
    ClientSet(const ClientSet&) = delete;
    ClientSet& operator=(const ClientSet&) = delete;

    /// Closes the connection at once where the gate is full. `listen`: where it came in; outlives it.
    void add(net::Fd fd, const net::IpAddress& peer, const config::Listen& listen);
    /// The client turned out to speak HTTP/2: `bytes` is all that it has said.
    void become_h2(Client& former, net::Stream& stream, GateSeat seat, std::string_view bytes);
    void remove(Client& client);
    /// A connection is ended for it. One line of the log tells of many.
    void notice_flood(const net::IpAddress& peer, policy::Flood kind);
    /// Closes the idle ones; the others close behind the answer they wait for.
    void drain();
    /// Closes all, whatever they wait for.
    void shut();
    [[nodiscard]] bool empty() const { return clients_.empty(); }
    [[nodiscard]] size_t size() const { return clients_.size(); }

  private:
    void notice_refusal(const net::IpAddress& peer);

    Kit& kit_;
    Time next_notice_{};
    Time next_flood_notice_{};
    std::vector<std::unique_ptr<Client>> clients_;  ///< Client::slot is the index
};

}  // namespace weir::proxy
