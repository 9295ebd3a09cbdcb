// What became of one attempt to read or write.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::net {

enum class IoStatus : uint8_t {
    ok,
    again,   ///< nothing now; the owner is called when that changes
    closed,  ///< reading: the peer has sent all it will, and under TLS has said so
    failed,  ///< IoResult::error is the errno
};

/// Errors that TLS adds: EPIPE from reading where the peer's side ended without its saying so (what came may
/// be a part), EPROTO where the records made no sense or the peer sent an alert (TlsSession::fault() has
/// more).
struct IoResult {
    IoStatus status = IoStatus::ok;
    size_t bytes = 0;
    int error = 0;
};

}  // namespace weir::net
