#include "policy/rate_spec.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::policy {
namespace {

using config::Wrong;
using namespace std::chrono_literals;

struct Period {
    std::string_view name;
    Duration length;
    std::array<std::string_view, 6> spellings;  ///< what people write instead
};

constexpr std::array<Period, 4> kPeriods{{
    {"s", 1s, {"sec", "secs", "second", "seconds"}},
    {"min", 1min, {"m", "mins", "minute", "minutes"}},
    {"hour", 1h, {"h", "hr", "hrs", "hours"}},
    {"day", 24h, {"d", "days"}},
}};
constexpr std::string_view kExamples = "`60/min`, `10/s`, `1000/hour`, `5000/day` or `100/15s`";

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return lower;
}

/// The period that someone meant by a name that is none.
std::optional<std::string_view> meant_by(std::string_view written) {
    const std::string lower = lower_case(written);
    for (const Period& period : kPeriods) {
        const bool spelt = !lower.empty() && std::ranges::count(period.spellings, lower) != 0;
        if (spelt || period.name == lower) return period.name;
    }
    return std::nullopt;
}

Failure<Wrong> no_rate(std::string_view text) {
    return fail(Wrong{config::quoted(text) + " is not a rate", fmt::format("write {}", kExamples)});
}

Result<Duration, Wrong> parse_window(std::string_view text, std::string_view count, std::string_view window) {
    for (const Period& period : kPeriods) {
        if (period.name == window) return period.length;
    }
    if (const auto meant = meant_by(window)) {
        return fail(Wrong{config::quoted(text) + " is not a rate",
                          fmt::format("did you mean `{}/{}`? (s, min, hour, day, or a duration: 15s)",
                                      config::printable(count), *meant)});
    }
    const auto length = config::parse_duration(window);
    if (!length) return no_rate(text);
    if (*length < RateSpec::kLeastWindow || *length > RateSpec::kMostWindow) {
        return fail(Wrong{fmt::format("the window of {} is out of range", config::quoted(text)),
                          "a window lasts from 100ms to 31d"});
    }
    return *length;
}

}  // namespace

Result<RateSpec, Wrong> parse_rate_spec(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) return no_rate(text);
    const std::string_view count = text.substr(0, slash);
    const auto number = config::parse_integer(count);
    const bool digits = !count.empty() && std::ranges::all_of(count, config::is_digit);
    if (!number && !digits) return no_rate(text);
    if (!number && count.front() == '0') return fail(number.error());
    if (!number || *number == 0 || *number > RateSpec::kMostCount) {
        return fail(Wrong{fmt::format("the count of {} is out of range", config::quoted(text)),
                          fmt::format("a count goes from 1 to {}", RateSpec::kMostCount)});
    }
    const auto window = parse_window(text, count, text.substr(slash + 1));
    if (!window) return fail(window.error());
    return RateSpec{static_cast<uint32_t>(*number), *window};
}

std::string format_rate_spec(const RateSpec& spec) {
    for (const Period& period : kPeriods) {
        if (period.length == spec.window) return fmt::format("{}/{}", spec.count, period.name);
    }
    return fmt::format("{}/{}", spec.count, config::format_duration(spec.window));
}

}  // namespace weir::policy
