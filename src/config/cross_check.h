// What no single value shows: keys that are missing, or that contradict each other.
#pragma once

#include "config/draft.h"

namespace weir::config {

/// Reports errors and warnings into the draft. `file` names the place to complain to when a key is missing. A
/// key that was set to something wrong is left out: nothing follows from it.
void cross_check(Draft& draft, const Input& file);

/// Whether a connection to `server` would arrive at a socket that listens on `listen`. Names are not
/// resolved, except `localhost`.
[[nodiscard]] bool reaches(const Endpoint& server, const Endpoint& listen);

}  // namespace weir::config
