// Which route a request takes: the first that matches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "policy/misfit.h"
#include "policy/request_outline.h"

namespace weir::policy {

/// What is said of a path that nobody can tell the meaning of.
[[nodiscard]] Misfit unclear_path();

struct RouteMatch {
    const config::Route* route = nullptr;
    const config::PathPattern* pattern =
        nullptr;         ///< the one that took the path; null: the route asks for none
    uint32_t index = 0;  ///< of the route, in the order of the configuration
};

/// Immutable; no allocation but for an error. A look-up takes time in proportion to the patterns in front of
/// the one that matches; nearly all of them cost one comparison of eight bytes.
///
/// Of a host without a port any port will do, and the dot that may end a host's name does not count. A field
/// that is there several times matches where one of its lines does.
class RouteTable {
  public:
    /// The routes outlive the table, and stay where they are.
    explicit RouteTable(const std::vector<config::Route>& routes);

    [[nodiscard]] bool empty() const { return rows_.empty(); }

    /// nullopt: no route. A path without a normal form is refused as soon as there is any route: the app
    /// could read it as a path that a rule is meant for. Without routes it is nobody's concern.
    [[nodiscard]] Result<std::optional<RouteMatch>, Misfit> find(const RequestOutline&) const;

  private:
    /// One for each pattern of each route, or for each route without.
    struct Row {
        enum class Kind : uint8_t {
            exact,     ///< the path is `start`
            prefix,    ///< it begins so
            segments,  ///< it begins so, and the pattern has to be looked at
        };
        uint64_t start_mask = 0;  ///< of the bytes of `start` that `start_bytes` holds
        uint64_t start_bytes = 0;
        std::string start;
        RouteMatch match;
        Kind kind = Kind::prefix;
    };

    [[nodiscard]] static Row make_row(const config::PathPattern&);
    [[nodiscard]] static bool takes_path(const Row&, std::string_view path);

    std::vector<Row> rows_;
};

}  // namespace weir::policy
