#include "config/status_range.h"

#include <optional>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

constexpr uint16_t kLowest = 200;
constexpr uint16_t kHighest = 599;

std::optional<uint16_t> code_of(std::string_view text) {
    if (text.size() != 3) return std::nullopt;
    uint16_t code = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        code = static_cast<uint16_t>(code * 10 + (c - '0'));
    }
    return code;
}

/// Other ways in which people write a range: "2xx", "200..399", "200 - 399".
std::string what_is_meant(std::string_view text) {
    if (text.size() == 3 && text[0] >= '2' && text[0] <= '5' &&
        (text.substr(1) == "xx" || text.substr(1) == "XX"))
        return fmt::format("did you mean `{0}00-{0}99`?", text[0]);
    const size_t end_of_low = text.find_first_not_of("0123456789");
    const size_t high = text.find_last_not_of("0123456789") + 1;
    const bool has_both = end_of_low == 3 && text.size() - high == 3;
    if (has_both) return fmt::format("did you mean `{}-{}`?", text.substr(0, 3), text.substr(high));
    return "write a code or a range, as in `200` or `200-399`";
}

}  // namespace

Result<StatusRange, Wrong> parse_status_range(std::string_view text) {
    const size_t dash = text.find('-');
    const std::optional<uint16_t> low = code_of(text.substr(0, dash));
    const std::optional<uint16_t> high =
        dash == std::string_view::npos ? low : code_of(text.substr(dash + 1));
    if (!low || !high)
        return fail(Wrong{quoted(text) + " is not a status code or a range", what_is_meant(text)});
    if (*low < kLowest || *high > kHighest) {
        return fail(
            Wrong{quoted(text) + " is out of range", fmt::format("allowed: {} to {}", kLowest, kHighest)});
    }
    if (*low > *high) {
        return fail(Wrong{quoted(text) + " is empty", fmt::format("did you mean `{}-{}`?", *high, *low)});
    }
    return StatusRange{*low, *high};
}

}  // namespace weir::config
