// A WebSocket (RFC 6455) that sends every message back.
#pragma once

#include "demo/connection.h"
#include "demo/request.h"

namespace weir::demo {

inline constexpr size_t kMaxWebSocketMessage = 1 << 20;

[[nodiscard]] bool is_web_socket_request(const Request& request);

/// Shakes hands and echoes until either side closes. Text comes back as text, bytes as bytes, a fragmented
/// message in one frame; pings are answered. A breach of the protocol or a message past the bound ends it
/// with the status the RFC has for it.
void echo_web_socket(Connection& connection, const Request& request);

}  // namespace weir::demo
