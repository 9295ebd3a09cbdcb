// Every answer weir makes itself has one of these reasons; it stands in the body, the log and the metrics.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

/// A new reason is one enumerator and one row in reason.cc; switches have no default, so the compiler lists
/// the rest.
enum class Reason : uint8_t {
    bad_request,
    header_timeout,
    body_timeout,
    body_too_large,
    uri_too_long,
    expectation_failed,
    header_too_large,
    not_implemented,
    version_not_supported,
    upstream_connect,
    upstream_reset,
    upstream_protocol,
    upstream_unavailable,
    upstream_stall,
    deadline,
    overloaded,
    draining,
};

struct ReasonText {
    uint16_t status;        ///< of the answer
    std::string_view slug;  ///< as in the body, the log and the metrics: "bad_request"
};

[[nodiscard]] const ReasonText& text_of(Reason);
/// The standard phrase of a status code, "" where it has none.
[[nodiscard]] std::string_view status_phrase(uint16_t status);

}  // namespace weir::http
