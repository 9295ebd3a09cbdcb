#include "config/route_checks.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "config/limit_checks.h"
#include "config/param_checks.h"
#include "config/path_pattern.h"
#include "config/text.h"

namespace weir::config {
namespace {

Spot spot_of(size_t route) { return Spot("routes")[route]; }

bool asks_for_nothing(const Match& match) {
    return match.paths.empty() && match.methods.empty() && match.host.empty() && match.headers.empty();
}

bool lists(const std::vector<std::string>& methods, std::string_view method) {
    return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool takes_paths(const Match& outer, const Match& inner) {
    if (outer.paths.empty()) return true;
    const auto is_covered = [&](const PathPattern& pattern) {
        return std::any_of(outer.paths.begin(), outer.paths.end(),
                           [&](const PathPattern& other) { return covers(other, pattern); });
    };
    return !inner.paths.empty() && std::all_of(inner.paths.begin(), inner.paths.end(), is_covered);
}

bool takes_methods(const Match& outer, const Match& inner) {
    if (outer.methods.empty()) return true;
    const auto is_listed = [&](const std::string& method) {
        return lists(outer.methods, method) || (method == "HEAD" && lists(outer.methods, "GET"));
    };
    return !inner.methods.empty() && std::all_of(inner.methods.begin(), inner.methods.end(), is_listed);
}

bool takes_headers(const Match& outer, const Match& inner) {
    const auto is_asked = [&](const HeaderMatch& wanted) {
        return std::any_of(inner.headers.begin(), inner.headers.end(), [&](const HeaderMatch& other) {
            return other.name == wanted.name && (!wanted.value || other.value == wanted.value);
        });
    };
    return std::all_of(outer.headers.begin(), outer.headers.end(), is_asked);
}

/// Whether every request that matches `inner` matches `outer` too.
bool takes_all(const Match& outer, const Match& inner) {
    return (outer.host.empty() || outer.host == inner.host) && takes_methods(outer, inner) &&
           takes_headers(outer, inner) && takes_paths(outer, inner);
}

class RouteChecks {
  public:
    explicit RouteChecks(Findings& findings) : findings_(findings), routes_(findings.settings().routes) {}

    void run() {
        for (size_t i = 0; i < routes_.size(); ++i) {
            if (!findings_.is_sound(spot_of(i))) continue;
            match(i);
            name(i);
            reach(i);
            group(i);
            check_scope(findings_, routes_[i].limits, spot_of(i) / "limits", routes_[i].timeout_total);
            check_params(findings_, routes_[i], spot_of(i) / "params");
        }
    }

  private:
    void match(size_t i) {
        if (!asks_for_nothing(routes_[i].match)) return;
        findings_.error(spot_of(i), fmt::format("{} has no `match`", findings_.name(spot_of(i))),
                        "say which requests it takes, as in `match: {path: /reports/*}`");
    }

    void name(size_t i) {
        const auto [first, is_new] = names_.emplace(routes_[i].name, i);
        if (is_new) return;
        const Spot spot = spot_of(i) / "name";
        findings_.error(spot,
                        fmt::format("{}: {} is the name of {} too", findings_.name(spot),
                                    quoted(routes_[i].name), findings_.name(spot_of(first->second))),
                        "give one of them another name");
    }

    void reach(size_t i) {
        if (asks_for_nothing(routes_[i].match)) return;
        for (size_t earlier = 0; earlier < i; ++earlier) {
            const Match& outer = routes_[earlier].match;
            const bool takes = findings_.is_sound(spot_of(earlier)) && !asks_for_nothing(outer) &&
                               takes_all(outer, routes_[i].match);
            if (!takes) continue;
            findings_.warning(spot_of(i),
                              fmt::format("{} never matches: {} takes every request that it would",
                                          findings_.name(spot_of(i)), findings_.name(spot_of(earlier))),
                              "the first route that matches wins: move this one up");
            return;
        }
    }

    /// Routes of a group share one cap and one queue, so they cannot differ in them.
    void group(size_t i) {
        const RouteLimits& limits = routes_[i].limits;
        if (limits.group.empty()) return;
        const Spot spot = spot_of(i) / "limits";
        const auto [first, is_new] = groups_.emplace(limits.group, i);
        if (is_new && !limits.concurrency) {
            findings_.error(spot / "group",
                            fmt::format("the group {} has no `concurrency`", quoted(limits.group)),
                            "give it to one of its routes");
        }
        if (is_new) return;
        const RouteLimits& other = routes_[first->second].limits;
        same(i, first->second, "concurrency", limits.concurrency, other.concurrency);
        same(i, first->second, "per_client_concurrency", limits.per_client_concurrency,
             other.per_client_concurrency);
        if (limits.queue.size.value == other.queue.size.value) return;
        differ(spot / "queue" / "size", spot_of(first->second) / "limits" / "queue" / "size", limits.group);
    }

    void same(size_t i, size_t other, std::string_view key, std::optional<size_t> own,
              std::optional<size_t> others) {
        if (own == others) return;
        differ(spot_of(i) / "limits" / key, spot_of(other) / "limits" / key, routes_[i].limits.group);
    }

    void differ(const Spot& spot, const Spot& other, const std::string& group_name) {
        findings_.error(spot,
                        fmt::format("{} differs from {}, and both are of the group {}", findings_.name(spot),
                                    findings_.name(other), quoted(group_name)),
                        "routes of a group share one cap: say it in one of them");
    }

    Findings& findings_;
    const std::vector<Route>& routes_;
    std::map<std::string, size_t> names_;   ///< the first route of each
    std::map<std::string, size_t> groups_;  ///< likewise
};

}  // namespace

void check_routes(Findings& findings) { RouteChecks(findings).run(); }

}  // namespace weir::config
