// One listening address, as the connections that come in there know it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

namespace weir::net {
class TlsDoor;
}

namespace weir::proxy {

/// Does not change, but for what the door's TLS is made of. Any thread.
struct Entrance {
    bool has_proxy_header = false;                ///< in front of each connection
    std::optional<uint16_t> redirect_https = {};  ///< the port that every request is sent to, over https
    bool speaks_http2 = true;                     ///< beside HTTP/1.1
    const net::TlsDoor* tls = nullptr;            ///< null: plain HTTP
};

/// Held by who listens there and by each connection: an address may be configured anew while they last.
using SharedEntrance = std::shared_ptr<const Entrance>;

}  // namespace weir::proxy
