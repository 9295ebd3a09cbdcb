// A strict, stateless parser of complete heads (RFC 9110, 9112). What two readers could understand
// differently is refused: that is what keeps requests from being smuggled past weir.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/reason.h"

namespace weir::http {

struct HeadLimits {
    size_t head_bytes = 16384;  ///< `limits.header`
    size_t fields = 100;        ///< `limits.headers`
    size_t uri_bytes = 8192;    ///< `limits.uri`
};

/// Why a head was refused.
struct HeadFault {
    Reason reason = Reason::bad_request;
    const char* detail = "";  ///< one clause for the client, static
    size_t offset = 0;        ///< bytes from the start of the head to where it went wrong
};

/// Empty where the head is sound. Kept apart from Result so that the happy path moves nothing.
using MaybeFault = std::optional<HeadFault>;

/// `head` is one whole head, its empty line included, as scan_head found it. A single CRLF before the request
/// line is skipped (RFC 9112, 2.2). Fills `out`, whose former content is dropped; after a fault `out` is
/// unspecified, but `method_name` and `target` are set as far as they were read, for the log.
///
/// Refused as bad_request: bare CR or LF, NUL and other controls, obs-fold, white space before a colon, an
/// empty or invalid name, a Content-Length that is not plain digits or overflows, two of them even if equal,
/// Content-Length beside Transfer-Encoding, any Transfer-Encoding but exactly one "chunked",
/// Transfer-Encoding in HTTP/1.0, not exactly one space between the parts of the request line, a missing,
/// repeated or invalid Host in HTTP/1.1 (repeated or invalid in 1.0), a fragment, white space or a control in
/// the target, a target of no known form, an authority with userinfo, an absolute-form target with a query
/// but no path ("http://a?b"), a member of Connection that is no token, more than 32 of them (they cost when
/// the head is written). not_implemented: CONNECT, a method of more than 32 bytes. version_not_supported:
/// well-formed versions other than 1.0 and 1.1. uri_too_long, header_too_large: past the limits.
/// expectation_failed: an Expect other than 100-continue.
MaybeFault parse_request_head(std::string_view head, const HeadLimits&, RequestHead& out);

/// What can be said of a head that has not ended yet: too long already, a first byte no request begins with,
/// ... Cheap: looks at no more than the request line's start and the length.
MaybeFault check_partial_request(std::string_view bytes, const HeadLimits&);

inline constexpr size_t kMaxResponseHeadBytes = 65536;
inline constexpr size_t kMaxResponseFields = 1000;

/// The same strictness towards the app. Every fault's reason is upstream_protocol.
/// A status outside 100-599, a repeated or odd Content-Length, Content-Length beside Transfer-Encoding and so
/// on. A status line that ends right behind the status is let pass: many apps write it, and nobody can
/// misread it.
MaybeFault parse_response_head(std::string_view head, ResponseHead& out);

}  // namespace weir::http
