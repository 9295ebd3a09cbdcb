// Every answer weir makes itself has one of these reasons; it stands in the body, the log and the metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

/// In the order of what gives rise to them: the request, the client's quota, the app, weir itself. A new
/// reason is one enumerator and one row in reason.cc; switches have no default, so the compiler lists the
/// rest.
enum class Reason : uint8_t {
    bad_request,
    invalid_parameter,
    no_route,
    method_not_allowed,
    header_timeout,
    body_timeout,
    body_too_large,
    uri_too_long,
    unsupported_media_type,
    expectation_failed,
    misdirected,
    header_too_large,
    not_implemented,
    version_not_supported,
    rate_limited,
    upstream_connect,
    upstream_reset,
    upstream_protocol,
    upstream_unavailable,
    upstream_stall,
    deadline,
    queue_full,
    queue_timeout,
    predicted_wait,
    overloaded,
    draining,
};

/// How many there are, for tables with a row for each; reason.cc does not compile where it is wrong.
inline constexpr size_t kReasons = 26;

/// The `type` of the answer (RFC 9457).
enum class ProblemType : uint8_t {
    about_blank,       ///< the status says it all
    quota_exceeded,    ///< this and the next: draft-ietf-httpapi-ratelimit-headers-10, 5
    reduced_capacity,  ///< "temporary-reduced-capacity"
};

struct ReasonText {
    uint16_t status;        ///< of the answer
    std::string_view slug;  ///< as in the body, the log and the metrics: "bad_request"
    ProblemType type = ProblemType::about_blank;
};

[[nodiscard]] const ReasonText& text_of(Reason);
/// What it means, in one sentence for the operator.
[[nodiscard]] std::string_view meaning_of(Reason);
/// The standard phrase of a status code, "" where it has none.
[[nodiscard]] std::string_view status_phrase(uint16_t status);

}  // namespace weir::http
