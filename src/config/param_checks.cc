#include "config/param_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/path_pattern.h"
#include "config/ranges.h"
#include "config/text.h"

namespace weir::config {
namespace {

std::vector<std::string_view> bounds_of(const Param& param) {
    std::vector<std::string_view> bounds;
    if (param.integer) bounds.emplace_back("int");
    if (param.number) bounds.emplace_back("number");
    if (!param.choices.empty()) bounds.emplace_back("enum");
    if (param.length) bounds.emplace_back("len");
    return bounds;
}

template <class Range, class Number>
bool is_within(const Range& range, const std::optional<Number>& number) {
    return number && *number >= range.low && *number <= range.high;
}

bool accepts(const Param& param, std::string_view value) {
    if (param.integer) return is_within(*param.integer, parse_signed(value));
    if (param.number) return is_within(*param.number, parse_decimal(value));
    if (param.length)
        return is_within(*param.length, std::optional(static_cast<int64_t>(count_characters(value))));
    return param.choices.empty() ||
           std::find(param.choices.begin(), param.choices.end(), value) != param.choices.end();
}

void check_param(Findings& findings, const Param& param, const Spot& spot) {
    const std::vector<std::string_view> bounds = bounds_of(param);
    if (bounds.size() > 1) {
        findings.error(spot / bounds.back(),
                       fmt::format("{} has both `{}` and `{}`", findings.name(spot),
                                   bounds[bounds.size() - 2], bounds.back()),
                       "a parameter is of one kind");
        return;
    }
    if (param.on_violation == OnViolation::clamp && !param.integer && !param.number) {
        const Spot clamp = spot / "on_violation";
        findings.error(clamp, fmt::format("{}: only a number can be clamped", findings.name(clamp)),
                       "it takes an `int` or a `number` beside it");
    }
    const Spot fallback = spot / "default";
    if (param.fallback && !accepts(param, *param.fallback)) {
        findings.error(fallback,
                       fmt::format("{}: {} is not what `{}` allows", findings.name(fallback),
                                   quoted(*param.fallback), bounds.front()),
                       {});
    }
    if (param.fallback && param.required) {
        findings.error(spot / "required",
                       fmt::format("{} is required, and so its `default` is never used", findings.name(spot)),
                       "remove one of them");
    }
}

void check_path_param(Findings& findings, const Param& param, const std::vector<PathPattern>& paths,
                      const Spot& spot) {
    const auto lacks = std::find_if(paths.begin(), paths.end(), [&](const PathPattern& pattern) {
        return !has_parameter(pattern, param.name);
    });
    if (paths.empty() || lacks != paths.end()) {
        findings.error(spot,
                       paths.empty()
                           ? fmt::format("{} has no pattern that names it", findings.name(spot))
                           : fmt::format("{} is not in {}", findings.name(spot), quoted(lacks->text)),
                       fmt::format("a pattern names it in braces, as in `/documents/{{{}}}`", param.name));
    }
    for (const std::string_view key : {"required", "default"}) {
        const bool is_given = key == "required" ? param.required : param.fallback.has_value();
        if (!is_given) continue;
        findings.error(spot / key,
                       fmt::format("{}: a parameter of the path is always there", findings.name(spot / key)),
                       "remove it");
    }
}

}  // namespace

void check_params(Findings& findings, const Route& route, const Spot& spot) {
    for (const Param& param : route.params.path) {
        check_path_param(findings, param, route.match.paths, spot / "path" / param.name);
        check_param(findings, param, spot / "path" / param.name);
    }
    for (const Param& param : route.params.query) check_param(findings, param, spot / "query" / param.name);
}

}  // namespace weir::config
