// Writes heads anew for the other side. Nothing is copied through as it stood: hop-by-hop fields and those
// named in Connection stay behind (RFC 9110, 7.6.1), and what weir says of itself is added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace weir::http {

/// What is known of the request beyond its head. All views outlive the call.
struct RequestFacts {
    std::string_view client_address;  ///< "192.0.2.7" or "2001:db8::7"
    std::string_view request_id;  ///< X-Request-ID to send: the client's own if it is sane, else a new one
    std::string_view scheme;      ///< "http" or "https": how the client reached weir
    std::string_view host;        ///< Host to send; empty: the client's
    std::string_view forwarded_host{};  ///< that a trusted proxy was asked for; empty: the client's Host
    std::string_view proxy_address{};   ///< of the trusted proxy that brought it; empty: it came by itself
    std::string_view client_certificate{};  ///< whom it is for, as TLS has found out; empty: nobody
    bool drop_request_start = true;  ///< leaves the client's X-Request-Start out: the caller writes its own
    bool drop_deadline = true;       ///< the same of X-Request-Deadline
};

/// An upper bound of what write_request_head and then write_request_framing write, in bytes.
[[nodiscard]] size_t request_head_bound(const RequestHead&, const RequestFacts&);

/// Writes request line and fields, without the framing fields and the empty line, so that both can be decided
/// when the body is known; returns how many bytes. The target goes out in origin-form as it came.
///
/// Left out: what is_hop_by_hop says, what Connection names, Host (written first, anew), Content-Length,
/// Expect, X-Forwarded-*, X-Real-IP, X-Client-Cert-Subject and Forwarded of the client (nobody vouches for
/// them), and any field whose name becomes one of weir's or of framing's when "_" is read as "-": CGI-style
/// apps cannot tell them apart. Written: Host, X-Forwarded-For, -Proto and -Host, X-Real-IP, X-Request-ID,
/// and X-Client-Cert-Subject where it is known; for an upgrade also Connection and Upgrade; "TE: trailers"
/// (with Connection: TE) if the client sent it.
size_t write_request_head(const RequestHead&, const RequestFacts&, char* out);

/// Writes Content-Length or Transfer-Encoding as `body` says and the empty line. A request without a body
/// gets "Content-Length: 0" where its method suggests one (POST, PUT, PATCH), nothing otherwise.
size_t write_request_framing(Method, Body body, char* out);
inline constexpr size_t kMaxFraming = 64;

/// How a response goes to this client.
struct ResponseFacts {
    Version client_version = Version::http11;
    bool keep_alive = true;  ///< false: "Connection: close"; true towards HTTP/1.0: "Connection: keep-alive"
    Body body;               ///< what follows: until_close means neither field is written
    std::string_view
        request_id;         ///< X-Request-ID to answer with; left out where the app sent one, or if empty
    std::string_view date;  ///< an IMF-fixdate, written where the app sent none
};

[[nodiscard]] size_t response_head_bound(const ResponseHead&, const ResponseFacts&);
/// Writes the whole head with its empty line. Content-Length of the app is kept for HEAD and 304 (body none).
size_t write_response_head(const ResponseHead&, const ResponseFacts&, char* out);
/// A 103 or another 1xx that is passed on: status line, end-to-end fields, empty line. For 101 also Upgrade
/// and Connection: Upgrade. Writes at most what response_head_bound says, whatever the facts.
size_t write_interim_head(const ResponseHead&, char* out);

/// RFC 9110, 7.6.1, and the older ones: Connection, Keep-Alive, Proxy-Connection, TE, Trailer is end-to-end,
/// Transfer-Encoding, Upgrade, Proxy-Authenticate, Proxy-Authorization.
[[nodiscard]] bool is_hop_by_hop(FieldId);

}  // namespace weir::http
