#include "proxy/connection_gate.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace weir::proxy {

namespace {

constexpr size_t kPrefixBytes = 8;

net::IpAddress counted_as(const net::IpAddress& address) {
    if (address.is_v4()) return address;
    net::IpAddress prefix = address;
    std::fill(prefix.bytes.begin() + kPrefixBytes, prefix.bytes.end(), uint8_t{0});
    return prefix;
}

}  // namespace

size_t ConnectionGate::Hash::operator()(const net::IpAddress& address) const {
    // Bounded by max_connections entries and by what an attacker can really connect from: no keyed hash is
    // needed.
    uint64_t high;
    uint64_t low;
    std::memcpy(&high, address.bytes.data(), sizeof high);
    std::memcpy(&low, address.bytes.data() + sizeof high, sizeof low);
    return static_cast<size_t>((high * 0x9E3779B97F4A7C15U) ^ (low * 0xC2B2AE3D27D4EB4FU));
}

void ConnectionGate::set_bounds(Bounds bounds) {
    std::lock_guard lock(mutex_);
    bounds_ = std::move(bounds);
}

bool ConnectionGate::enter(const net::IpAddress& address) {
    std::lock_guard lock(mutex_);
    if (connections_ < bounds_.connections && enter_own_share(address)) {
        ++connections_;
        return true;
    }
    ++refused_;
    return false;
}

bool ConnectionGate::enter_own_share(const net::IpAddress& address) {
    uint32_t& count = per_address_[counted_as(address)];
    // Counted all the same: it may be exempt no longer when it leaves.
    if (count >= bounds_.per_address && !bounds_.exempt.contains(address.bytes)) return false;
    ++count;
    return true;
}

void ConnectionGate::leave(const net::IpAddress& address) {
    std::lock_guard lock(mutex_);
    assert(connections_ > 0);
    --connections_;
    auto found = per_address_.find(counted_as(address));
    assert(found != per_address_.end());
    if (--found->second == 0) per_address_.erase(found);
}

size_t ConnectionGate::connections() const {
    std::lock_guard lock(mutex_);
    return connections_;
}

uint64_t ConnectionGate::refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
}

}  // namespace weir::proxy
