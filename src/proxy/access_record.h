// What is remembered of one exchange for its access-log line.
#pragma once

#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "http/reason.h"

namespace weir::proxy {

/// Rules in shadow that may hold for one request; the configuration takes 16 global rates, 16 of `shadow` and
/// 16 of a route.
inline constexpr size_t kMostShadows = 64;
using ShadowSet = std::bitset<kMostShadows>;

/// Views live only while the line is written. Durations are nanoseconds since the request's first byte was
/// seen; negative: it never came to that.
struct AccessRecord {
    WallTime time{};  ///< of arrival
    std::string_view client_address;
    std::string_view request_id;
    std::string_view method;
    std::string_view target;    ///< as sent; the query is struck out by the log where it must be
    std::string_view protocol;  ///< "HTTP/1.1"
    std::string_view tls;       ///< "TLSv1.3"; "" where the client came without
    std::string_view host;
    std::string_view referer;
    std::string_view user_agent;
    std::string_view trace_id;                       ///< 32 hex digits (http/trace_context.h), "" for none
    std::string_view server;                         ///< the app's address, "" where none was asked
    std::string_view route;                          ///< the name of the route, "" for none
    std::string_view rule;                           ///< the name of the rule that refused
    ShadowSet shadow_refusals;                       ///< n: the rule `shadow_names[n]` would have refused
    std::span<const std::string_view> shadow_names;  ///< at most kMostShadows; they live as long as the rules
    std::string_view reason;                         ///< slug of weir's own answer, "" where the app answered
    std::string_view cut;  ///< why a response ended before its end, "" where it did not
    uint16_t status = 0;   ///< 499: the client left before there was one
    uint32_t retries = 0;
    uint64_t request_bytes = 0;   ///< payload
    uint64_t response_bytes = 0;  ///< payload sent to the client
    Duration queue{-1};           ///< how long it waited for a slot
    Duration hold{-1};            ///< and for an app that could not be reached
    Duration connect{-1};
    Duration first_byte{-1};
    Duration total{};
    bool slow = false;
    // For the figures, and for who asks about this request.
    std::optional<http::Reason> refusal;  ///< weir's own answer, where that is one
    Duration slot_wait{-1};               ///< as `queue`, but zero where a slot was free at once
    Duration upstream{-1};                ///< how long the app was asked, the last time that it was
    std::string_view detail;              ///< what the client was told where weir answered, or why it was cut
    Duration retry_after{-1};             ///< and after which time to come again
};

/// Calls `each` with the index of every rule in shadow that would have refused, in order.
template <class Each>
void for_each_shadow_refusal(const AccessRecord& record, Each each) {
    for (uint64_t left = record.shadow_refusals.to_ullong(); left != 0; left &= left - 1)
        each(static_cast<size_t>(std::countr_zero(left)));
}

}  // namespace weir::proxy
