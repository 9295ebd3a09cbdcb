#include "config/ranges.h"

#include <charconv>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

constexpr std::string_view kWayOut = "write both ends or one of them, as in `1..100`, `1..` or `..5`";

template <class T>
std::optional<T> whole(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool has_leading_zero(std::string_view digits) {
    return digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
}

/// `Range` is open at both ends to begin with.
template <class Range, class Number>
Result<Range, Wrong> parse_range(std::string_view text, std::optional<Number> (*parse)(std::string_view)) {
    const size_t dots = text.find("..");
    if (dots == std::string_view::npos) {
        const bool is_number = parse(text).has_value();
        return fail(
            Wrong{quoted(text) + " is not a range",
                  is_number ? fmt::format("did you mean `{0}..` or `..{0}`?", text) : std::string(kWayOut)});
    }
    const std::string_view low = text.substr(0, dots);
    const std::string_view high = text.substr(dots + 2);
    if (low.empty() && high.empty()) {
        return fail(Wrong{quoted(text) + " has no end", std::string(kWayOut)});
    }
    Range range;
    for (const auto& [written, end] : {std::pair(low, &range.low), std::pair(high, &range.high)}) {
        if (written.empty()) continue;
        const std::optional<Number> number = parse(written);
        if (!number) {
            return fail(Wrong{
                fmt::format("{} is not a range: {} is not a number that fits", quoted(text), quoted(written)),
                std::string(kWayOut)});
        }
        *end = *number;
    }
    if (range.low > range.high) {
        return fail(Wrong{quoted(text) + " is empty", fmt::format("did you mean `{}..{}`?", high, low)});
    }
    return range;
}

}  // namespace

std::optional<int64_t> parse_signed(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    const std::string_view digits = text.substr(is_negative ? 1 : 0);
    if (has_leading_zero(digits) || (is_negative && digits == "0")) return std::nullopt;
    return whole<int64_t>(text);
}

std::optional<double> parse_decimal(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    const bool is_decimal = !digits.empty() && is_digit(digits.front()) && is_digit(digits.back()) &&
                            digits.find_first_not_of("0123456789.") == std::string_view::npos;
    if (!is_decimal || has_leading_zero(digits)) return std::nullopt;
    return whole<double>(text);
}

Result<IntegerRange, Wrong> parse_integer_range(std::string_view text) {
    return parse_range<IntegerRange>(text, parse_signed);
}

Result<NumberRange, Wrong> parse_number_range(std::string_view text) {
    return parse_range<NumberRange>(text, parse_decimal);
}

Result<IntegerRange, Wrong> parse_length_range(std::string_view text) {
    Result<IntegerRange, Wrong> range = parse_integer_range(text);
    if (!range) return range;
    if (text.starts_with("..")) range->low = 0;
    if (range->low >= 0 && range->high >= 0) return range;
    return fail(Wrong{quoted(text) + " is out of range", "a length is at least 0"});
}

}  // namespace weir::config
