#include "config/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

struct Unit {
    std::string_view name;
    uint64_t factor;
};

constexpr uint64_t kSecond = 1'000;
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400 * kSecond}, {"h", 3'600 * kSecond}, {"m", 60 * kSecond}, {"s", kSecond}, {"ms", 1}}};
constexpr uint64_t kMostMilliseconds = kSecond * 86'400 * 10'000;

// From the largest to the smallest, so that the first one that divides a size without remainder formats it.
constexpr std::array<Unit, 9> kSizeUnits{{{"TiB", 1ULL << 40},
                                          {"TB", 1'000'000'000'000},
                                          {"GiB", 1ULL << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", 1ULL << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", 1ULL << 10},
                                          {"KB", 1'000},
                                          {"B", 1}}};

struct Spelling {
    std::string_view written;  ///< in lower case
    std::string_view meant;
};

constexpr auto kDurationSpellings = std::to_array<Spelling>(
    {{"d", "d"},      {"day", "d"},          {"days", "d"},         {"h", "h"},   {"hr", "h"},
     {"hrs", "h"},    {"hour", "h"},         {"hours", "h"},        {"m", "m"},   {"min", "m"},
     {"mins", "m"},   {"minute", "m"},       {"minutes", "m"},      {"s", "s"},   {"sec", "s"},
     {"secs", "s"},   {"second", "s"},       {"seconds", "s"},      {"ms", "ms"}, {"msec", "ms"},
     {"msecs", "ms"}, {"millisecond", "ms"}, {"milliseconds", "ms"}});
constexpr auto kSizeSpellings = std::to_array<Spelling>({{"b", "B"},
                                                         {"byte", "B"},
                                                         {"bytes", "B"},
                                                         {"k", "KiB"},
                                                         {"kb", "KB"},
                                                         {"kib", "KiB"},
                                                         {"ki", "KiB"},
                                                         {"m", "MiB"},
                                                         {"mb", "MB"},
                                                         {"mib", "MiB"},
                                                         {"mi", "MiB"},
                                                         {"g", "GiB"},
                                                         {"gb", "GB"},
                                                         {"gib", "GiB"},
                                                         {"gi", "GiB"},
                                                         {"t", "TiB"},
                                                         {"tb", "TB"},
                                                         {"tib", "TiB"},
                                                         {"ti", "TiB"}});

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
    for (const Unit& unit : units) {
        if (unit.name == name) return &unit;
    }
    return nullptr;
}

std::string_view meant_by(std::span<const Spelling> spellings, std::string_view written) {
    std::string lower(written.substr(0, 16));
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const Spelling& spelling : spellings) {
        if (spelling.written == lower) return spelling.meant;
    }
    return {};
}

/// Takes the digits at the front of `text`. None where there is no digit, or the number does not fit.
std::optional<uint64_t> take_number(std::string_view& text) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return number;
}

std::string_view leading_digits(std::string_view text) {
    size_t length = 0;
    while (length < text.size() && is_digit(text[length])) ++length;
    return text.substr(0, length);
}

std::string_view without_blanks_in_front(std::string_view text) {
    const size_t start = text.find_first_not_of(" \t");
    return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

struct Family {
    std::string_view what;  ///< "a duration"
    std::string_view units;
    std::string_view usual;   ///< the unit to suggest for a bare number
    std::string_view suffix;  ///< behind the unit
    std::span<const Spelling> spellings;
};

constexpr Family kDurations{"a duration", "ms, s, m, h, d", "s", "", kDurationSpellings};
constexpr Family kSizes{"a size", "B, KB, KiB, MB, MiB, GB, GiB, TB, TiB", "B", "", kSizeSpellings};
constexpr Family kRates{"a rate", "B/s, KB/s, KiB/s, MB/s, MiB/s, GB/s, GiB/s", "B", "/s", kSizeSpellings};

Failure<Wrong> too_large(std::string_view text) { return fail(Wrong{quoted(text) + " is too large", {}}); }

Failure<Wrong> not_a(const Family& family, std::string_view text) {
    const std::string units = fmt::format("units: {}", family.units);
    const std::string_view digits = leading_digits(text);
    if (digits.empty() || digits.size() > 19) {
        return fail(Wrong{fmt::format("{} is not {}", quoted(text), family.what),
                          fmt::format("write a whole number and its unit ({})", units)});
    }
    const std::string_view rest = without_blanks_in_front(text.substr(digits.size()));
    if (rest.empty()) {
        return fail(
            Wrong{fmt::format("{} has no unit", quoted(text)),
                  fmt::format("did you mean `{}{}{}`? ({})", digits, family.usual, family.suffix, units)});
    }
    std::string_view unit = rest;
    if (unit.ends_with(family.suffix)) unit.remove_suffix(family.suffix.size());
    const std::string_view meant = meant_by(family.spellings, unit);
    std::string hint = meant.empty()
                           ? fmt::format("write a whole number and its unit ({})", units)
                           : fmt::format("did you mean `{}{}{}`? ({})", digits, meant, family.suffix, units);
    return fail(Wrong{fmt::format("{} is not {}", quoted(text), family.what), std::move(hint)});
}

Result<uint64_t, Wrong> parse_bytes(std::string_view text, const Family& family) {
    std::string_view rest = text;
    const std::optional<uint64_t> number = take_number(rest);
    if (!number) return leading_digits(text).size() > 19 ? too_large(text) : not_a(family, text);
    if (!rest.ends_with(family.suffix)) return not_a(family, text);
    rest.remove_suffix(family.suffix.size());
    const Unit* unit = find_unit(kSizeUnits, rest);
    if (unit == nullptr) return not_a(family, text);
    if (*number > std::numeric_limits<uint64_t>::max() / unit->factor) return too_large(text);
    return *number * unit->factor;
}

}  // namespace

Result<Duration, Wrong> parse_duration(std::string_view text) {
    uint64_t total = 0;
    uint64_t previous_factor = std::numeric_limits<uint64_t>::max();
    std::string_view rest = text;
    do {
        const size_t digits = leading_digits(rest).size();
        const std::optional<uint64_t> number = take_number(rest);
        if (!number) return digits > 19 ? too_large(text) : not_a(kDurations, text);
        size_t letters = 0;
        while (letters < rest.size() && is_letter(rest[letters])) ++letters;
        const Unit* unit = find_unit(kDurationUnits, rest.substr(0, letters));
        if (unit == nullptr) return not_a(kDurations, text);
        if (unit->factor >= previous_factor) {
            return fail(Wrong{fmt::format("{} has its units out of order", quoted(text)),
                              "write the largest unit first and each at most once, as in `1h30m`"});
        }
        if (*number > (kMostMilliseconds - total) / unit->factor) return too_large(text);
        total += *number * unit->factor;
        previous_factor = unit->factor;
        rest.remove_prefix(letters);
    } while (!rest.empty());
    return Duration{std::chrono::milliseconds{static_cast<int64_t>(total)}};
}

Result<uint64_t, Wrong> parse_size(std::string_view text) { return parse_bytes(text, kSizes); }

Result<uint64_t, Wrong> parse_rate(std::string_view text) { return parse_bytes(text, kRates); }

Result<uint64_t, Wrong> parse_percent(std::string_view text) {
    std::string_view rest = text;
    const std::optional<uint64_t> number = take_number(rest);
    if (number && *number <= 100 && rest == "%") return *number;
    if (number && rest.empty()) {
        return fail(
            Wrong{fmt::format("{} has no unit", quoted(text)), fmt::format("did you mean `{}%`?", *number)});
    }
    return fail(Wrong{fmt::format("{} is not a percentage", quoted(text)), "write `0%` to `100%`, whole"});
}

Result<uint64_t, Wrong> parse_integer(std::string_view text) {
    const std::string_view digits = leading_digits(text);
    if (digits.empty() || digits.size() != text.size() || (digits.size() > 1 && digits.front() == '0')) {
        return fail(
            Wrong{quoted(text) + " is not a whole number", "write decimal digits alone, as in `100`"});
    }
    std::string_view rest = text;
    const std::optional<uint64_t> number = take_number(rest);
    if (!number) return too_large(text);
    return *number;
}

std::string format_duration(Duration duration) {
    auto left =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
    if (left == 0) return "0s";
    std::string text;
    for (const Unit& unit : kDurationUnits) {
        if (left >= unit.factor) text += fmt::format("{}{}", left / unit.factor, unit.name);
        left %= unit.factor;
    }
    return text;
}

std::string format_size(uint64_t bytes) {
    for (const Unit& unit : kSizeUnits) {
        if (bytes != 0 && bytes % unit.factor == 0)
            return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
    return "0B";
}

std::string format_rate(uint64_t bytes_per_second) { return format_size(bytes_per_second) + "/s"; }

std::string format_percent(uint64_t percent) { return fmt::format("{}%", percent); }

}  // namespace weir::config
