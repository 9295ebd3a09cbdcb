// Targets held against parameter rules: what is passed on fits every rule, as often as it is asked, and
// nothing else of it has changed.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/path_pattern.h"
#include "http/target.h"
#include "input.h"
#include "policy/parameter.h"
#include "proxy/shaped_target.h"

namespace weir::fuzz {
namespace {

using config::OnViolation;
using config::Param;
using proxy::shape_target;

constexpr auto kFits = policy::ParameterVerdict::Outcome::fits;

Param named(const char* name) {
    Param param;
    param.name = name;
    return param;
}

Param clamped(const char* name, config::IntegerRange range) {
    Param param = named(name);
    param.integer = range;
    param.on_violation = OnViolation::clamp;
    return param;
}

config::Route make_route() {
    Param ratio = named("ratio");
    ratio.number = {-0.5, 1.5};
    ratio.on_violation = OnViolation::clamp;
    Param sort = named("sort");
    sort.choices = {"up", "down"};
    sort.fallback = "up";
    Param text = named("q");
    text.length = {0, 8};
    config::Route route;
    route.match.paths.push_back(config::parse_pattern("/d/{id}/*").value());
    route.params.path = {clamped("id", {1, 99})};
    route.params.query = {clamped("size", {1, 100}), ratio, sort, text};
    return route;
}

struct Shaped {
    bool is_refused = false;
    std::string target;  ///< what is sent on
};

/// nullopt: the route does not take the path.
std::optional<Shaped> shape(const config::Route& route, std::string_view target) {
    const auto path = http::normalise_path(target.substr(0, target.find('?')));
    if (!path || !path->starts_with("/d/") || path->find('/', 3) == std::string::npos) return std::nullopt;
    if ((*path)[3] == '/') return std::nullopt;
    auto outcome = shape_target({&route, &route.match.paths[0], 0}, *path, target);
    if (!outcome) {
        require(!outcome.error().detail.empty(), "a refusal says why");
        return Shaped{.is_refused = true, .target = {}};
    }
    return Shaped{.is_refused = false, .target = outcome.value().value_or(std::string(target))};
}

std::string_view query_of(std::string_view target) {
    const size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

const Param* rule_of(const config::Route& route, const http::QueryParameter& piece) {
    const auto name = http::percent_decode(piece.name, true);
    require(name.has_value(), "a name that cannot be read is not passed on");
    for (const Param& rule : route.params.query)
        if (rule.name == *name) return &rule;
    return nullptr;
}

/// As the plainest app reads it: by & alone.
void require_all_fit(const config::Route& route, std::string_view target) {
    http::QueryWalk walk(query_of(target));
    bool has_sort = false;
    while (const auto piece = walk.next()) {
        const Param* const rule = rule_of(route, *piece);
        if (rule == nullptr) continue;
        const auto value = http::percent_decode(piece->value, true);
        require(value && policy::judge(*rule, *value).outcome == kFits, "what is passed on fits its rule");
        has_sort = has_sort || rule->name == "sort";
    }
    require(has_sort, "what is missing is put in");
}

/// The pieces that no rule is about, as they stand.
std::vector<std::string> others(const config::Route& route, std::string_view target) {
    std::vector<std::string> found;
    http::QueryWalk walk(query_of(target));
    while (const auto piece = walk.next()) {
        if (rule_of(route, *piece) != nullptr) continue;
        found.push_back(std::string(piece->name) + (piece->has_equals ? "=" : "") +
                        std::string(piece->value));
    }
    return found;
}

void run(std::string_view input) {
    static const config::Route route = make_route();
    // A target as the head's parser lets through: no fragment, no white space, no control bytes.
    for (const char c : input)
        if (c <= ' ' || c == 0x7f || c == '#') return;
    const ExactCopy copy(input);
    const auto shaped = shape(route, copy.view());
    if (!shaped || shaped->is_refused) return;
    require_all_fit(route, shaped->target);
    require(others(route, copy.view()) == others(route, shaped->target), "no other parameter has changed");
    const auto again = shape(route, shaped->target);
    require(again && !again->is_refused && again->target == shaped->target, "shaping again changes nothing");
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
