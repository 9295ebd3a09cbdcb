// Where a request goes and whether it has the shape for that: all that is decided before anything is charged
// or held. Pure; what serves requests and `weir explain` both ask here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/head_parser.h"
#include "http/message.h"
#include "http/reason.h"
#include "proxy/rules.h"

namespace weir::proxy {

/// Why a request is refused for its shape.
struct Refusal {
    http::Reason reason = http::Reason::bad_request;
    std::string detail;     ///< one clause for the client
    std::string_view rule;  ///< the route's name; "" where none decided
    std::string allow;      ///< the value of Allow, for method_not_allowed
};

struct Routing {
    const Scope* scope = nullptr;  ///< never null; of the rules
    std::string target;            ///< to be sent on instead of the one that came; empty: that one
    std::optional<Refusal> refusal;
};

/// The route of a request, then its method, the type of its body, its parameters, and the size of a body that
/// is announced. Nothing is allocated where there are no routes.
[[nodiscard]] Routing route_request(const Rules&, const http::RequestHead&);

/// A client that leaves less time than this is not worth the app's.
inline constexpr Duration kLeastTotal = std::chrono::milliseconds(1);
inline constexpr std::string_view kNoTimeLeft = "the client leaves no time for an answer";

/// The bounds of a head that come from the configuration.
[[nodiscard]] http::HeadLimits head_limits(const config::Limits&);

}  // namespace weir::proxy
