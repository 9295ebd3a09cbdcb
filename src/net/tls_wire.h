// A non-blocking socket as OpenSSL reads and writes it, with what weir wants to know of that.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>

namespace weir::net {

struct FreeBio {
    void operator()(BIO* bio) const;
};
using OwnedBio = std::unique_ptr<BIO, FreeBio>;

/// OpenSSL's own socket BIO raises SIGPIPE, counts nothing and keeps no errno.
struct TlsWire {
    int fd = -1;  ///< the stream's; -1 once that is closed
    uint64_t received = 0;
    uint64_t sent = 0;                 ///< what the kernel took
    int error = 0;                     ///< errno of the last call that failed
    bool ended = false;                ///< the peer's FIN was read
    bool last_read_was_short = false;  ///< fewer bytes came than there was room for

    /// Both ways over `wire`, which outlives it.
    static OwnedBio bio_over(TlsWire& wire);
};

}  // namespace weir::net
