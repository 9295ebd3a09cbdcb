// What one worker counts of connections before their first request.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "net/tls_session.h"
#include "proxy/count.h"

namespace weir::proxy {

/// Why a TLS handshake came to nothing: what TlsFault tells, and what no peer said.
enum class HandshakeFailure : uint8_t {
    plain_http,  ///< and was told so, in plain HTTP
    not_tls,
    too_old,
    unlike,
    no_certificate,
    untrusted,
    expired,
    refused,
    ended,
    timeout,
    broken,
};
inline constexpr size_t kHandshakeFailures = 11;

enum class ProxyHeaderFailure : uint8_t { malformed, untrusted, ended, timeout };
inline constexpr size_t kProxyHeaderFailures = 4;

/// As labels have them.
[[nodiscard]] std::string_view name_of(HandshakeFailure failure);
[[nodiscard]] std::string_view name_of(ProxyHeaderFailure failure);

/// `fault`: of a handshake that has failed.
[[nodiscard]] HandshakeFailure failure_of(const net::TlsFault& fault);

struct ArrivalFigures {
    Count full_handshakes;
    Count resumed_handshakes;
    std::array<Count, kHandshakeFailures> failed_handshakes;
    std::array<Count, kProxyHeaderFailures> refused_headers;
};

}  // namespace weir::proxy
