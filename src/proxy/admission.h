// Whether the rates of its scope let a request pass: all are looked at, then all are charged, or none is.
#pragma once

#include <optional>

#include "http/message.h"
#include "http/rate_limit_fields.h"
#include "net/socket.h"
#include "proxy/access_record.h"
#include "proxy/rules.h"

namespace weir::proxy {

struct RateVerdict {
    const RateGate* refused_by = nullptr;         ///< nullptr: admitted, and charged
    Duration retry_after{};                       ///< exact, where refused
    std::optional<http::RateLimitState> nearest;  ///< what to tell the client of; none where no rate holds
    ShadowSet shadow_refusals;                    ///< n: `shadowed[n]` of the scope would have refused
};

/// Nothing is allocated, and nothing is charged where an enforced rate refuses. Rates in shadow are asked
/// about what the enforced ones admit: those that are in shadow with all the limits around them pass or
/// refuse as they would if they were enforced, together, and any other as if it alone were enforced too.
/// `client`: of Rules::client_of.
[[nodiscard]] RateVerdict ask_rates(const Scope&, const policy::RequestView&, policy::ClientKey client,
                                    Time now);

/// What the rules may know of a request; the head must outlive it.
[[nodiscard]] policy::RequestView view_of(const Scope&, const http::RequestHead&,
                                          const net::IpAddress& client);

/// The value of the nth line of a field, for policies that know no HTTP; data() is null where there is none,
/// or none that reaches the app because Connection names it.
[[nodiscard]] std::string_view field_line(const void* head, std::string_view name, size_t nth);

}  // namespace weir::proxy
