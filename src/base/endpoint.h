// Where a socket listens or connects to, as the operator wrote it: a host and a port, or a UNIX socket's
// path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

/// A plain value. Either `path` is set (a UNIX socket) or `port` is; `host` may be empty when listening
/// (every address, IPv4 and IPv6), a literal address (IPv6 without its brackets) or a name still to be
/// resolved.
struct Endpoint {
    std::string host;
    uint16_t port = 0;
    std::string path;

    [[nodiscard]] bool is_unix() const { return !path.empty(); }
    bool operator==(const Endpoint&) const = default;
};

/// Reads `host:port`, `[v6]:port`, `:port` or `unix:/path`. The error is one sentence for the operator that
/// says what would be right. Port 0 is allowed: the kernel chooses (tests use it).
Result<Endpoint> parse_endpoint(std::string_view text);

/// The inverse of parse_endpoint.
std::string to_string(const Endpoint&);

}  // namespace weir
