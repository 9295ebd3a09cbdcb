// What became of one request, for who asks with its id.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/overview.h"

namespace weir::app {

/// nullopt: no worker remembers such a request. Names and units as in the access log; what is absent there is
/// left out. Besides: `detail` (what the client was told), `meaning`, `retry_after` (in seconds, as the
/// client was told) and `what_to_do`.
[[nodiscard]] std::optional<std::string> why_json(const Overview& overview, std::string_view request_id);

}  // namespace weir::app
