// What went wrong with an exchange. One type for every failing path; Exchange::fail alone turns it into what
// the client sees.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "http/reason.h"

namespace weir::proxy {

/// Whether the request may be sent again (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
enum class Retry : unsigned char {
    no,
    if_unprocessed,  ///< the connection ended without one response byte: if idempotent, or if no byte can
                     ///< have been read
    if_idempotent,   ///< the connection ended behind some of the answer, none of which has gone further
    always,          ///< nothing was sent: there was no connection
};

struct Error {
    http::Reason reason = http::Reason::bad_request;
    Retry retry = Retry::no;
    std::string_view detail{};              ///< one clause for the client; outlives the call it is handed to
    int system_error = 0;                   ///< errno, 0 where there is none
    std::string_view rule{};                ///< the name of the rule that decided
    std::optional<Duration> retry_after{};  ///< when it would be admitted, where that is known
    bool is_lasting = false;                ///< waiting for the app to come back would not help
    bool is_shortage = false;               ///< of weir's own: it says nothing of the server
    std::string_view allow{};               ///< the value of Allow, for method_not_allowed
};

}  // namespace weir::proxy
