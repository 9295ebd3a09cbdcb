// Bytes in both directions between two sockets after an upgrade, until both sides have said that they are
// done.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_queue.h"
#include "net/stream.h"

namespace weir::proxy {

/// Thread: that of the streams, which outlive it. A side's end is passed on as a half-close, and the other
/// direction goes on. Reads no faster than the other side takes: at most one slab is held for each direction.
class Tunnel {
  public:
    Tunnel(net::Stream& client, net::Stream& upstream, BlockPool& blocks, std::span<char> slab);

    /// Bytes that were already read, or that weir itself has to say, go first.
    void prepend_to_client(std::string_view bytes) { down_.waiting.append(bytes); }
    void prepend_to_upstream(std::string_view bytes) { up_.waiting.append(bytes); }

    enum class State : uint8_t { open, more, ended, broken };
    /// Moves what can be moved. `more`: call again soon, there was too much for one turn.
    State pump();

    [[nodiscard]] uint64_t bytes_to_client() const { return down_.moved; }
    [[nodiscard]] uint64_t bytes_to_upstream() const { return up_.moved; }

  private:
    struct Direction {
        Direction(net::Stream& source, net::Stream& sink, BlockPool& blocks)
            : from(source), to(sink), waiting(blocks) {}
        net::Stream& from;
        net::Stream& to;
        ByteQueue waiting;
        uint64_t moved = 0;
        bool ended = false;  ///< the source is done and the sink has been told
    };
    State pump(Direction&);
    static bool drain(Direction&);

    std::span<char> slab_;
    Direction up_;
    Direction down_;
};

}  // namespace weir::proxy
