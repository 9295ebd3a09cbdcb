// What is said to a request that came in at the wrong place. Pure; what serves requests and `weir explain`
// both ask here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/reason.h"
#include "proxy/entrance.h"

namespace weir::proxy {

/// How a request came in.
struct WayIn {
    const Entrance& entrance;
    bool is_tls = false;               ///< of the connection
    bool is_admitted = true;           ///< it has shown what the request's host asks for (net/tls_session.h)
    std::string_view scheme = "http";  ///< by which the client came, as ClientFacts::scheme has it
};

struct TurnedAway {
    std::string location;  ///< where it is sent on to, with 308; empty: it is refused
    http::Reason reason = http::Reason::bad_request;
    std::string_view detail{};  ///< one clause for the client
};

/// Nothing where the request is in the right place.
[[nodiscard]] std::optional<TurnedAway> turned_away(const WayIn&, const http::RequestHead&);

}  // namespace weir::proxy
