// Where a server of the app listens: `http://host[:port]`, `https://host[:port]` or `unix:/path`.
#pragma once

#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

/// Ports default to 80 and 443. A path behind the host may be `/` alone.
Result<ServerUrl, Wrong> parse_server_url(std::string_view text);

}  // namespace weir::config
