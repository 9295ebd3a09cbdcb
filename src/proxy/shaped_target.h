// The target of a request, held against the parameter rules of its route, and rewritten where they say so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "policy/misfit.h"
#include "policy/route_table.h"

namespace weir::proxy {

/// What to send on instead of the target that came; nullopt: that one.
using ShapedTarget = Result<std::optional<std::string>, policy::Misfit>;

/// `target` is path and query as they came, `normal_path` its path in normal form (http/target.h), which the
/// route was found by. Only the bytes of a value that is clamped are replaced, and what is missing is put
/// behind the end; shaping the outcome again changes nothing.
///
/// A parameter that is given several times is judged each time: apps differ in which one they read, so each
/// has to fit, and each that does not is clamped or refused. Some apps also end a parameter at ";", and some
/// read "page[]" or "page[0]" as page: what stands there has to fit as it is, or the request is refused. A
/// name with a malformed escape is refused where a rule is about the query, since it could be any name.
[[nodiscard]] ShapedTarget shape_target(const policy::RouteMatch&, std::string_view normal_path,
                                        std::string_view target);

}  // namespace weir::proxy
