// What `weir explain` says: what a request meets on its way to the app, in the order in which it meets it.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cli/command_line.h"
#include "config/settings.h"

namespace weir::app {

struct Explanation {
    std::string text;  ///< lines for a person; values of header fields are not in it
    bool is_refused = false;
};

/// Asks the code that serves requests, with rules that have seen no request before. The error is one sentence
/// about a question that is none.
[[nodiscard]] Result<Explanation> explain_request(const config::Settings&, const cli::Question&, Time now);

}  // namespace weir::app
