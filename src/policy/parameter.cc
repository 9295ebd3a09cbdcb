#include "policy/parameter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::policy {
namespace {

using config::IntegerRange;
using config::is_digit;
using config::NumberRange;
using config::OnViolation;
using config::Param;
using Outcome = ParameterVerdict::Outcome;

size_t count_digits(std::string_view text) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), is_digit);
    return static_cast<size_t>(end - text.begin());
}

bool is_integer(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    return !digits.empty() && count_digits(digits) == digits.size();
}

/// Takes `count` digits off the front; false where there is none.
bool take_digits(std::string_view& text, size_t count) {
    text.remove_prefix(count);
    return count > 0;
}

/// RFC 8259, 6.
bool is_json_number(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    if (!take_digits(text, text.starts_with('0') ? 1 : count_digits(text))) return false;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        if (!take_digits(text, count_digits(text))) return false;
    }
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
        if (!take_digits(text, count_digits(text))) return false;
    }
    return text.empty();
}

/// Whether a JSON number that no double can hold is too large for one, not too small.
bool is_huge(std::string_view number) {
    const size_t e = std::min(number.find_first_of("eE"), number.size());
    const std::string_view mantissa = number.substr(0, e);
    const size_t first = std::min(mantissa.find_first_of("123456789"), e);
    const size_t point = std::min(mantissa.find('.'), e);
    const auto magnitude = static_cast<int64_t>(point) - static_cast<int64_t>(first);
    std::string_view exponent = number.substr(std::min(e + 1, number.size()));
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
    if (error == std::errc::result_out_of_range) return !exponent.starts_with('-');
    return value > -magnitude;
}

/// What a text means that is_integer; beyond 64 bits nullopt.
std::optional<int64_t> read_integer(std::string_view text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

/// What a text means that is_json_number; beyond all doubles infinity.
double read_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{}) return value;
    const double size = is_huge(text) ? std::numeric_limits<double>::infinity() : 0.0;
    return text.starts_with('-') ? -size : size;
}

std::string format(int64_t value) { return fmt::format("{}", value); }

/// Without an exponent, whose "+" would mean a space in a query.
std::string format(double value) {
    std::array<char, 400> digits{};
    const auto written =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
    return {digits.data(), written.ptr};
}

/// " from 1 to 100", " of at least 1", " of at most 5", or nothing where both ends are open.
template <class Range>
std::string say_range(const Range& range) {
    const bool has_low = range.low != Range().low;
    const bool has_high = range.high != Range().high;
    if (has_low && has_high) return fmt::format(" from {} to {}", format(range.low), format(range.high));
    if (has_low) return fmt::format(" of at least {}", format(range.low));
    return has_high ? fmt::format(" of at most {}", format(range.high)) : std::string();
}

ParameterVerdict refuse(const Param& param, std::string_view kind, std::string_view bound) {
    return {Outcome::refused, fmt::format("{} must be {}{}", param.name, kind, bound)};
}

ParameterVerdict judge_integer(const Param& param, std::string_view text) {
    const IntegerRange& range = *param.integer;
    if (!is_integer(text)) return refuse(param, "an integer", say_range(range));
    const std::optional<int64_t> value = read_integer(text);
    if (value && *value >= range.low && *value <= range.high) return {};
    const bool is_below = value ? *value < range.low : text.starts_with('-');
    const int64_t nearest = is_below ? range.low : range.high;
    if (param.on_violation == OnViolation::clamp) return {Outcome::clamped, format(nearest)};
    // The end that the value is beyond may be an open one, which only this says.
    if (!value) return refuse(param, "an integer", fmt::format(" from {} to {}", range.low, range.high));
    return refuse(param, "an integer", say_range(range));
}

ParameterVerdict judge_number(const Param& param, std::string_view text) {
    const NumberRange& range = *param.number;
    const double value = is_json_number(text) ? read_number(text) : std::nan("");
    const bool is_held = std::isfinite(value);
    if (is_held && value >= range.low && value <= range.high) return {};
    const double nearest = value < range.low || (!is_held && value < 0) ? range.low : range.high;
    const bool has_nearest = !std::isnan(value) && std::isfinite(nearest);
    if (has_nearest && param.on_violation == OnViolation::clamp) return {Outcome::clamped, format(nearest)};
    return refuse(param, "a number", say_range(range));
}

std::string say_choices(const std::vector<std::string>& choices) {
    constexpr size_t kEnough = 200;
    std::string all = choices.front();
    size_t said = 1;
    for (; said < choices.size() && all.size() < kEnough; ++said) all += ", " + choices[said];
    return said < choices.size() ? fmt::format("{} and {} more", all, choices.size() - said) : all;
}

ParameterVerdict judge_choice(const Param& param, std::string_view text) {
    const auto& choices = param.choices;
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return {};
    return refuse(param, "one of ", say_choices(choices));
}

std::string say_length(const IntegerRange& range) {
    const bool has_high = range.high != IntegerRange().high;
    const int64_t last = has_high ? range.high : range.low;
    const std::string_view unit = last == 1 ? "character" : "characters";
    if (!has_high) return fmt::format("at least {} {}", range.low, unit);
    if (range.low <= 0) return fmt::format("at most {} {}", range.high, unit);
    return fmt::format("{} to {} {}", range.low, range.high, unit);
}

ParameterVerdict judge_length(const Param& param, std::string_view text) {
    const auto length = static_cast<int64_t>(config::count_characters(text));
    if (length >= param.length->low && length <= param.length->high) return {};
    return refuse(param, say_length(*param.length), " long");
}

}  // namespace

ParameterVerdict judge(const Param& param, std::string_view value) {
    if (param.integer) return judge_integer(param, value);
    if (param.number) return judge_number(param, value);
    if (!param.choices.empty()) return judge_choice(param, value);
    if (param.length) return judge_length(param, value);
    return {};
}

std::string say_required(const Param& param) { return param.name + " is required"; }

}  // namespace weir::policy
