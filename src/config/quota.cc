#include "config/quota.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

using namespace std::chrono_literals;

constexpr Duration kShortestWindow = 100ms;
constexpr std::string_view kWindows = "windows: s, min, hour, day, or a duration as in `100/15s`";

struct Window {
    std::string_view word;
    Duration duration;
    std::string_view name;
    std::array<std::string_view, 7> misspelt;
};

constexpr auto kNamedWindows = std::to_array<Window>({
    {"s", 1s, "per-sec", {"sec", "secs", "second", "seconds", "S", "Sec", "SEC"}},
    {"min", 1min, "per-min", {"m", "mins", "minute", "minutes", "M", "Min", "MIN"}},
    {"hour", 1h, "per-hour", {"h", "hr", "hrs", "hours", "H", "Hour", "HOUR"}},
    {"day", 24h, "per-day", {"d", "days", "D", "Day", "DAY"}},
});

const Window* find_window(std::string_view word) {
    for (const Window& window : kNamedWindows) {
        if (window.word == word) return &window;
    }
    return nullptr;
}

std::string_view meant_by(std::string_view word) {
    for (const Window& window : kNamedWindows) {
        for (const std::string_view misspelt : window.misspelt) {
            if (word == window.word || (!misspelt.empty() && word == misspelt)) return window.word;
        }
    }
    return {};
}

std::string_view without_blanks(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

/// For what has a number in front: how it would have been right, also from the way other servers write it
/// ("10r/s").
Failure<Wrong> not_a_quota(std::string_view text) {
    size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    const std::string_view number = text.substr(0, digits);
    const std::string_view rest = without_blanks(text.substr(digits));
    if (number.empty()) {
        return fail(
            Wrong{quoted(text) + " is not a rate", "write a whole number and its window, as in `60/min`"});
    }
    if (rest.empty()) {
        return fail(Wrong{quoted(text) + " has no window",
                          fmt::format("did you mean `{}/min`? ({})", number, kWindows)});
    }
    if (text.find(',') != std::string_view::npos) {
        return fail(Wrong{quoted(text) + " is not a rate", fmt::format("several are a list: `[{}]`", text)});
    }
    const size_t slash = rest.find_first_of("/ ");
    const std::string_view written = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
    const std::string_view meant = meant_by(without_blanks(written));
    return fail(Wrong{quoted(text) + " is not a rate",
                      meant.empty() ? fmt::format("write a whole number and its window ({})", kWindows)
                                    : fmt::format("did you mean `{}/{}`? ({})", number, meant, kWindows)});
}

}  // namespace

Result<Quota, Wrong> parse_quota(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0) return not_a_quota(text);
    const std::string_view written = text.substr(0, slash);
    const Result<uint64_t, Wrong> number = parse_integer(written);
    const bool is_number = written.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number && !is_number) return not_a_quota(text);
    constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
    if (!number || *number == 0 || *number > kMost) {
        return fail(
            Wrong{quoted(text) + " is out of range", fmt::format("allowed: 1 to {} in each window", kMost)});
    }
    Quota quota{static_cast<uint32_t>(*number), {}};
    const std::string_view window = text.substr(slash + 1);
    if (const Window* named = find_window(window)) {
        quota.window = named->duration;
        return quota;
    }
    const Result<Duration, Wrong> duration = parse_duration(window);
    if (!duration) return not_a_quota(text);
    quota.window = *duration;
    if (quota.window >= kShortestWindow && quota.window <= kLongestWindow) return quota;
    return fail(Wrong{quoted(text) + " is out of range", "allowed: windows of 100ms to 31d"});
}

std::string format_quota(const Quota& quota) {
    for (const Window& window : kNamedWindows) {
        if (window.duration == quota.window) return fmt::format("{}/{}", quota.limit, window.word);
    }
    return fmt::format("{}/{}", quota.limit, format_duration(quota.window));
}

std::string name_of_window(Duration window) {
    for (const Window& named : kNamedWindows) {
        if (named.duration == window) return std::string(named.name);
    }
    return fmt::format("per-{}", format_duration(window));
}

}  // namespace weir::config
