// The PROXY protocol, versions 1 and 2: what a balancer says of the client in front of the first byte that it
// passes on. Source: proxy-protocol.txt of HAProxy, 2020-03-05.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/ip_text.h"

namespace weir::http {

/// A version 1 header has at most 107 bytes. One of version 2 may say that it has 65,551; what is known to be
/// sent has some hundred.
inline constexpr size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
    enum class State : uint8_t { incomplete, complete, malformed };
    State state = State::incomplete;
    size_t length = 0;  ///< of a complete one, in bytes: what is behind it belongs to the client
    /// The client, over TCP. None where the balancer speaks for itself (LOCAL: a health check, say), does not
    /// know (UNKNOWN), or the client came by something else: then the peer is the client.
    std::optional<IpBytes> source;
    const char* fault = "";  ///< of a malformed one, a clause
};

/// `bytes`: all that has come of a connection so far, from its first byte. Malformed as soon as nothing that
/// may follow could make it whole. Everything is checked that the specification says a sender must do, and of
/// what version 2 may append (TLVs) the frame and, where there is one, the checksum.
///
/// No allocation.
[[nodiscard]] ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace weir::http
