// A connection that cannot carry requests yet: the PROXY header of a balancer is due, or the TLS handshake.
#pragma once

#include <list>
#include <memory>
#include <string_view>

#include "base/timing_wheel.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proxy/arrival_figures.h"
#include "proxy/entrance.h"

namespace weir::proxy {

struct Kit;
class Arrival;
class Reception;

using Arrivals = std::list<std::unique_ptr<Arrival>>;

/// Owned by its Reception; thread: its worker's. `timeout.header` bounds all that it waits for. A client that
/// has said nothing costs no more than this: memory for TLS is taken when its first byte has come.
class Arrival final : public net::Stream::Owner, public net::Retirable {
  public:
    /// Why a PROXY header is not looked at.
    static constexpr std::string_view kUntrustedPeer = "clients.trusted_proxies does not name the peer";

    /// `peer` has passed the gate; the Reception tells that of its end.
    Arrival(Kit& kit, Reception& reception, net::Fd fd, const net::IpAddress& peer,
            const SharedEntrance& entrance);
    ~Arrival() override = default;

    void on_ready() override;
    /// The next step of the handshake, which may cost a millisecond. Called by the Reception, in turn.
    void shake();
    /// One that has said nothing may begin for kFirstWords.
    void drain();

    // ---- from the Reception, which then destroys it
    [[nodiscard]] net::Stream::Parts release();
    void close();
    /// The peer, or the client that the PROXY header tells of.
    [[nodiscard]] const net::IpAddress& client() const { return client_; }
    [[nodiscard]] const SharedEntrance& entrance() const { return entrance_; }

    Arrivals::iterator place;  ///< where the Reception keeps it
    bool is_waiting = false;   ///< for its turn

  private:
    /// What is due.
    enum class Phase : uint8_t { proxy_header, hello, handshake };

    static void on_timer(void* arrival, Time now);
    /// Of what is due nothing has come.
    [[nodiscard]] bool is_silent() const;
    void read_proxy_header();
    [[nodiscard]] bool move_to(const net::IpAddress& client);
    void begin_tls();
    void fail(HandshakeFailure failure, std::string_view cause);
    void fail(ProxyHeaderFailure failure, std::string_view cause);

    Kit& kit_;
    Reception& reception_;
    const SharedEntrance entrance_;
    net::IpAddress client_;
    Phase phase_;
    const Time deadline_;
    net::Stream stream_;
    Timer timer_;
};

}  // namespace weir::proxy
