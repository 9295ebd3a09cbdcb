// The methods that a route names. HEAD is GET without the answer's body (RFC 9110, 9.3.2): a list with GET
// takes it too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

/// A list that is empty takes every method.
[[nodiscard]] bool takes_method(const std::vector<std::string>& methods, std::string_view method);

/// All that the list takes, for the Allow field (RFC 9110, 10.2.1): "GET, HEAD, POST".
[[nodiscard]] std::string allow_value(const std::vector<std::string>& methods);

}  // namespace weir::policy
