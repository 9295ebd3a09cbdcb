#include "proxy/tunnel.h"

namespace weir::proxy {

namespace {
constexpr int kReadsPerTurn = 4;
}

Tunnel::Tunnel(net::Stream& client, net::Stream& upstream, BlockPool& blocks, std::span<char> slab)
    : slab_(slab), up_(client, upstream, blocks), down_(upstream, client, blocks) {}

Tunnel::State Tunnel::pump() {
    State up = pump(up_);
    State down = pump(down_);
    if (up == State::broken || down == State::broken) return State::broken;
    if (up_.ended && down_.ended) return State::ended;
    return up == State::more || down == State::more ? State::more : State::open;
}

/// False where the sink is gone.
bool Tunnel::drain(Direction& way) {
    while (!way.waiting.empty() && way.to.writable()) {
        std::array<iovec, 16> pieces;
        size_t count = way.waiting.gather(pieces);
        auto sent = way.to.write({pieces.data(), count});
        if (sent.status == net::IoStatus::failed) return false;
        way.waiting.consume(sent.bytes);
        way.moved += sent.bytes;
    }
    return true;
}

Tunnel::State Tunnel::pump(Direction& way) {
    if (way.ended) return State::open;
    for (int reads = 0; reads < kReadsPerTurn; ++reads) {
        if (!drain(way)) return State::broken;
        if (!way.waiting.empty() || !way.from.readable()) return State::open;
        auto got = way.from.read(slab_);
        if (got.status == net::IoStatus::failed) return State::broken;
        if (got.status == net::IoStatus::again) return State::open;
        if (got.status == net::IoStatus::closed) {
            way.to.shut_write();
            way.ended = true;
            return State::open;
        }
        way.waiting.append({slab_.data(), got.bytes});
    }
    if (!drain(way)) return State::broken;
    return way.waiting.empty() && way.from.readable() ? State::more : State::open;
}

}  // namespace weir::proxy
