// How long a client will wait, as it says itself: X-Request-Timeout, and grpc-timeout (gRPC over HTTP/2,
// "Requests").
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace weir::http {

/// Whatever is longer counts as this: weir waits no longer for anything.
inline constexpr Duration kLongestTimeout = std::chrono::hours(24);

/// A number, maybe with decimals, and its unit: "250ms", "1.5s", "2m"; without a unit it is seconds. Less
/// than a millionth of the unit is dropped. nullopt for anything else.
[[nodiscard]] std::optional<Duration> parse_request_timeout(std::string_view);

/// 1 to 8 digits and one of H, M, S, m (milliseconds), u and n. nullopt for anything else.
[[nodiscard]] std::optional<Duration> parse_grpc_timeout(std::string_view);

/// How long the sender of a head waits, by the least of its fields; Duration::max() where none says it.
[[nodiscard]] Duration patience_of(const RequestHead& head);

/// What a field asks for: nullopt where it is neither of the two, or cannot be read.
[[nodiscard]] inline std::optional<Duration> timeout_in(const Field& field) {
    if (field.id == FieldId::x_request_timeout) return parse_request_timeout(field.value);
    if (field.id == FieldId::grpc_timeout) return parse_grpc_timeout(field.value);
    return std::nullopt;
}

}  // namespace weir::http
