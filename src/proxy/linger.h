// The end of a client connection whose client may still be sending.
#pragma once

#include <span>

#include "base/clock.h"
#include "net/stream.h"

namespace weir::proxy {

/// How long and how much a client may go on sending to a connection that weir has finished with, so that
/// it reads the answer instead of a reset (RFC 9112, 9.6).
inline constexpr Duration kLinger = std::chrono::seconds(2);
inline constexpr int kMaxLingerReads = 16;  ///< in one go: whoever sends faster than that does not read

/// Throws away what has come. False: the client has left, or is not worth waiting for.
[[nodiscard]] inline bool goes_on_lingering(net::Stream& stream, std::span<char> room) {
    for (int reads = 0; stream.readable(); ++reads) {
        auto got = stream.read(room);
        if (got.status == net::IoStatus::again) return true;
        if (got.status != net::IoStatus::ok || reads == kMaxLingerReads) return false;
    }
    return true;
}

}  // namespace weir::proxy
