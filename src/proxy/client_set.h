// The client connections of one worker.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/seldom.h"
#include "net/socket.h"
#include "net/stream.h"
#include "proxy/client.h"
#include "proxy/client_h1.h"
#include "proxy/connection_gate.h"
#include "proxy/kit.h"
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
    void add(net::Fd fd, const net::IpAddress& peer, const SharedEntrance& entrance);
    /// Begins to serve one that has passed the gate and can carry requests.
    void welcome(Connection connection);
    /// The client turned out to speak HTTP/2: `bytes` is all that it has said.
    void become_h2(Client& former, net::Stream& stream, Origin origin, std::string_view bytes);
    void remove(Client& client);
    /// A connection is ended for it. One line of the log tells of many.
    void notice_flood(const net::IpAddress& peer, policy::Flood kind);
    /// Closes the idle ones; the others close behind the answer they wait for. Those without a request so far
    /// may ask for kFirstWords.
    void drain();
    /// Closes all, whatever they wait for.
    void shut();
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] size_t size() const { return clients_.size() + reception_.size(); }

    /// The gate is full for one more of this address: tells of it, now and then.
    void notice_refusal(const net::IpAddress& peer);

  private:
    static constexpr Duration kNoticePeriod = std::chrono::seconds(10);

    Kit& kit_;
    Seldom refusal_notice_{kNoticePeriod};
    Seldom flood_notice_{kNoticePeriod};
    std::vector<std::unique_ptr<Client>> clients_;  ///< Client::slot is the index
    Reception reception_;
};

}  // namespace weir::proxy
