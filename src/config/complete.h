// What is not written because it follows from something else: names, and what routes and rules inherit.
#pragma once

#include "config/draft.h"

namespace weir::config {

/// After the last source: fills every `Inherited`, gives a name to every rule and route that has none, and
/// lets the routes of a group share what one of them says.
void complete(Draft& draft);

}  // namespace weir::config
