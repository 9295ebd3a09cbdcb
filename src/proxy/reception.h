// The connections of one worker on their way to their first request.
#pragma once

#include <cstddef>

#include "net/loop.h"
#include "net/socket.h"
#include "proxy/arrival.h"
#include "proxy/entrance.h"

namespace weir::proxy {

class ClientSet;

/// Thread: its worker's. Owns the arrivals, and hands those that are through to its ClientSet. However many
/// shake hands at once, the others of the worker wait for kShakes of them at most.
class Reception {
  public:
    /// Steps in one turn of the loop. A signature with an RSA key of 2048 bits takes most of a millisecond.
    static constexpr int kShakes = 4;

    Reception(Kit& kit, ClientSet& clients);
    ~Reception();
    Reception(const Reception&) = delete;
    Reception& operator=(const Reception&) = delete;

    /// `peer` has passed the gate.
    void add(net::Fd fd, const net::IpAddress& peer, const SharedEntrance& entrance);
    [[nodiscard]] size_t size() const { return resting_.size() + waiting_.size(); }
    /// Those who have said nothing may begin for kFirstWords.
    void drain();
    void shut();

    // ---- from an arrival
    /// It asks to be called, once, when it is its turn.
    void line_up(Arrival& arrival);
    void let_in(Arrival& arrival);
    void turn_away(Arrival& arrival);
    /// The same of one that turned out to come from `client`, which has as many connections as it may.
    void turn_away(Arrival& arrival, const net::IpAddress& client);

  private:
    static void on_turn(void* reception);
    void remove(Arrival& arrival);

    Kit& kit_;
    ClientSet& clients_;
    Arrivals resting_;
    Arrivals waiting_;  ///< for their turn, who came first in front
    net::Task turn_;
};

}  // namespace weir::proxy
