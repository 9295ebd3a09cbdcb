// What a route asks of a request beside its parameters: the method, and the media type of a body.
#pragma once

#include <optional>

#include "config/settings.h"
#include "policy/misfit.h"
#include "policy/request_outline.h"

namespace weir::policy {

/// The method is looked at first. A body needs exactly one Content-Type line that says one of the route's
/// types, its parameters aside: with two, or none, it is the app's guess what the body is.
[[nodiscard]] std::optional<Misfit> check_shape(const config::Route&, const RequestOutline&);

}  // namespace weir::policy
