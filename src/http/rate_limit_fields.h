// What answers say of the client's quota: RateLimit-Policy and RateLimit
// (draft-ietf-httpapi-ratelimit-headers-10), and the older X-RateLimit-*.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/message.h"

namespace weir::http {

/// One limit as it is announced, whoever asks. For a token bucket `quota` is the burst and `window` how long
/// an empty bucket takes to fill: so what remains is never more than the quota.
struct RateLimitPolicy {
    std::string_view name;
    uint32_t quota = 0;
    Duration window{};
};

/// The value of RateLimit-Policy; "" for no policies. It is the same for all requests of a route: made once,
/// when the settings are loaded. The draft knows windows of whole seconds only, and need not be told one:
/// another is left out rather than rounded to a rate that is not the rule's.
[[nodiscard]] std::string rate_limit_policies(std::span<const RateLimitPolicy>);

/// What one limit has left for one client.
struct RateLimitState {
    std::string_view name;
    uint32_t quota = 0;
    uint32_t remaining = 0;
    uint32_t cost = 1;  ///< at least 1: what a request like this one takes
    Duration reset{};   ///< until more than `remaining` is left; zero where nothing is spent
};

/// An answer tells of the limit that is nearest to its end: where the fewest requests are left, and of
/// several such the one that takes longest to give more. False of equals.
///
/// Not the one with the smallest share left: beside 12 of 60 a minute, 15 of 1000 an hour is the smaller
/// share, and a client that is told of it and sends 15 is refused at the 13th.
[[nodiscard]] bool is_nearer_to_its_end(const RateLimitState&, const RateLimitState& than);

enum class RateLimitForm : uint8_t { draft, legacy, both };

struct RateLimitAnswer {
    RateLimitForm form = RateLimitForm::draft;
    std::string_view policies;  ///< of rate_limit_policies
    RateLimitState nearest;     ///< to its end
};

/// The most bytes add_rate_limit_fields writes.
[[nodiscard]] size_t rate_limit_bound(const RateLimitAnswer&);

/// Writes values into `buffer` and adds fields that are views of them, of `policies` and of constants; no
/// allocation but what `fields` needs to grow. Returns how many bytes it wrote. Times are in seconds from
/// now, rounded up: never later than Retry-After says of the same limit.
///
/// The draft's fields may stand beside an app's own: they are lists. Of X-RateLimit-* there can be but one of
/// each: see is_legacy_rate_limit.
size_t add_rate_limit_fields(const RateLimitAnswer&, char* buffer, std::vector<Field>& fields);

/// X-RateLimit-Limit, -Remaining or -Reset: what an app sent is dropped where weir sends its own.
[[nodiscard]] bool is_legacy_rate_limit(std::string_view name);

}  // namespace weir::http
