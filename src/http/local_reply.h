// The answers weir gives in the app's stead: application/problem+json (RFC 9457).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/reason.h"

namespace weir::http {

struct LocalReply {
    Reason reason = Reason::bad_request;
    std::string_view detail;      ///< one sentence that says what was wrong with this very request
    std::string_view request_id;  ///< "" where the request never got one
    std::optional<Duration> retry_after;
};

/// The JSON text: type, title, status, detail, reason, request_id, and retry_after in seconds where it is
/// known. Whatever `detail` holds, the text is valid JSON in valid UTF-8.
std::string problem_json(const LocalReply&);

/// Whole seconds for Retry-After, rounded up, at least 1.
[[nodiscard]] int64_t retry_after_seconds(Duration);

}  // namespace weir::http
