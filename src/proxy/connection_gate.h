// How many clients may be connected, in all and from one address. Shared by the workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "net/socket.h"
#include "policy/address_set.h"

namespace weir::proxy {

/// Threads: any. Holds an entry only for addresses that are connected, so it is bounded by `max_connections`.
/// IPv6 is counted by its /64, which is what one subscriber gets. Behind an exempt address, that of a trusted
/// proxy, are many clients: its own bound does not hold for it.
class ConnectionGate {
  public:
    struct Bounds {
        size_t connections = 0;
        size_t per_address = 0;
        policy::AddressSet exempt{};
    };
    explicit ConnectionGate(Bounds bounds) : bounds_(std::move(bounds)) {}

    /// Who is in stays in.
    void set_bounds(Bounds bounds);

    /// True where one more may stay; each true is paired with one leave().
    [[nodiscard]] bool enter(const net::IpAddress&);
    void leave(const net::IpAddress&);
    /// One that is in turns out to come from another address, and is counted for that one from now on; false,
    /// and it stays as it was, where that one has as many as it may.
    [[nodiscard]] bool rename(const net::IpAddress& from, const net::IpAddress& to);
    [[nodiscard]] size_t connections() const;
    [[nodiscard]] uint64_t refused() const;

  private:
    [[nodiscard]] bool enter_own_share(const net::IpAddress&);
    void leave_own_share(const net::IpAddress&);
    struct Hash {
        size_t operator()(const net::IpAddress&) const;
    };

    mutable std::mutex mutex_;
    Bounds bounds_;
    size_t connections_ = 0;
    uint64_t refused_ = 0;
    std::unordered_map<net::IpAddress, uint32_t, Hash> per_address_;
};

/// One connection that the gate has let in: it leaves when this dies.
class GateSeat {
  public:
    /// `gate.enter(peer)` was true.
    GateSeat(ConnectionGate& gate, const net::IpAddress& peer) : gate_(&gate), peer_(peer) {}
    GateSeat(GateSeat&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), peer_(other.peer_) {}
    GateSeat& operator=(GateSeat&&) = delete;
    ~GateSeat() {
        if (gate_ != nullptr) gate_->leave(peer_);
    }

    [[nodiscard]] const net::IpAddress& peer() const { return peer_; }

  private:
    ConnectionGate* gate_;
    net::IpAddress peer_;
};

}  // namespace weir::proxy
