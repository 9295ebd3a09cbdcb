// What an operator can do about one request: which key of the configuration rules it, or where to look.
#pragma once

#include <string>

#include "proxy/notable_requests.h"

namespace weir::app {

/// One or two sentences; "" where there is nothing to be done.
[[nodiscard]] std::string advice_for(const proxy::NotableRequest& request);

}  // namespace weir::app
