#include "config/complete.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "config/quota.h"
#include "config/text.h"
#include "config/words.h"

namespace weir::config {
namespace {

constexpr size_t kMostNameBytes = 56;  ///< leaves room for a number behind it

template <class T>
void inherit(Inherited<T>& own, const T& from) {
    if (!own.is_own) own.value = from;
}

void complete_rates(std::vector<Rate>& rates, Mode mode, std::string_view prefix) {
    for (Rate& rate : rates) {
        inherit(rate.mode, mode);
        if (rate.name.empty()) rate.name = fmt::format("{}{}", prefix, name_of_window(rate.quota.window));
    }
}

/// "/api/{id}/*" is "api-id".
std::string name_of_path(std::string_view path) {
    std::string name;
    for (const char c : lower_case(path)) {
        const bool belongs = is_letter(c) || is_digit(c) || c == '_';
        if (belongs && name.size() < kMostNameBytes) name += c;
        if (!belongs && !name.empty() && name.back() != '-') name += '-';
    }
    while (name.ends_with('-')) name.pop_back();
    return name.empty() ? "root" : name;
}

void complete_names(std::vector<Route>& routes) {
    std::set<std::string> taken;
    for (const Route& route : routes) taken.insert(route.name);
    for (size_t i = 0; i < routes.size(); ++i) {
        Route& route = routes[i];
        if (!route.name.empty()) continue;
        const std::string name = route.match.paths.empty() ? fmt::format("route-{}", i + 1)
                                                           : name_of_path(route.match.paths.front().text);
        route.name = name;
        for (size_t n = 2; !taken.insert(route.name).second; ++n) route.name = fmt::format("{}-{}", name, n);
    }
}

/// The queue of a route without a cap has no room, that of one with a cap as much as the global one.
void complete_route(Route& route, const Settings& settings) {
    RouteLimits& limits = route.limits;
    inherit(limits.mode, settings.limits.mode.value);
    inherit(limits.queue.size, limits.concurrency ? settings.limits.queue.size.value : 0);
    inherit(limits.queue.wait, settings.limits.queue.wait.value);
    inherit(limits.body_bytes, settings.limits.body_bytes.value);
    inherit(limits.keys, settings.limits.keys.value);
    inherit(route.timeout_total, settings.timeout.total);
    complete_rates(limits.rates, limits.mode, route.name + '-');
}

/// What the routes of a group say together: the first that names a value speaks for those that do not.
struct Shared {
    std::optional<size_t> concurrency;
    std::optional<size_t> per_client_concurrency;
    std::optional<size_t> queue_size;
};
using Groups = std::map<std::string, Shared, std::less<>>;

Groups groups_of(const std::vector<Route>& routes) {
    Groups groups;
    for (const Route& route : routes) {
        const RouteLimits& limits = route.limits;
        Shared& shared = groups[limits.group];
        if (!shared.concurrency) shared.concurrency = limits.concurrency;
        if (!shared.per_client_concurrency) shared.per_client_concurrency = limits.per_client_concurrency;
        if (!shared.queue_size && limits.queue.size.is_own) shared.queue_size = limits.queue.size.value;
    }
    groups.erase(std::string());
    return groups;
}

void complete_routes(Settings& settings) {
    const Groups groups = groups_of(settings.routes);
    complete_names(settings.routes);
    for (Route& route : settings.routes) {
        RouteLimits& limits = route.limits;
        const auto group = groups.find(limits.group);
        const Shared shared = group == groups.end() ? Shared{} : group->second;
        if (!limits.concurrency) limits.concurrency = shared.concurrency;
        if (!limits.per_client_concurrency) limits.per_client_concurrency = shared.per_client_concurrency;
        route.match.host = lower_case(route.match.host);
        complete_route(route, settings);
        if (shared.queue_size) inherit(limits.queue.size, *shared.queue_size);
    }
}

/// A body is there to be written: it needs no `format` beside it.
void complete_errors(Draft& draft) {
    const Held& body = draft.held("errors.body");
    Held& format = draft.held(*find_field("errors.format"));
    if (draft.settings.errors.body.empty() || format.input != nullptr) return;
    draft.settings.errors.format = ErrorFormat::body;
    format.input = body.input;
    format.place = body.place;
    format.node.kind = Kind::scalar;
    format.node.text = "body";
}

}  // namespace

void complete(Draft& draft) {
    Settings& settings = draft.settings;
    settings.admin.is_address_own = draft.held("admin.address").input != nullptr;
    complete_rates(settings.limits.rates, settings.limits.mode, {});
    for (Rate& rule : settings.shadow) rule.mode = {Mode::shadow, true};
    complete_rates(settings.shadow, Mode::shadow, "shadow-");
    complete_routes(settings);
    complete_errors(draft);
}

}  // namespace weir::config
