// Quantities as the operator writes them, always with their unit: `1m30s`, `10MiB`, `256B/s`, `20%`. No
// parser here overflows, rounds or guesses: it gives the exact value, or says what is wrong and what was
// probably meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace weir::config {

/// What is wrong with a piece of text: one sentence, and the way out (may be empty).
struct Wrong {
    std::string message;
    std::string hint;
    std::string culprit = {};  ///< the part of the text to point at; empty: all of it
};

/// Whole numbers with `d h m s ms`, largest first, each at most once: `250ms`, `5s`, `1m30s`. At most 10,000
/// days.
Result<Duration, Wrong> parse_duration(std::string_view text);

/// A whole number with `B`, `KB MB GB TB` (powers of 1000) or `KiB MiB GiB TiB` (powers of 1024).
Result<uint64_t, Wrong> parse_size(std::string_view text);

/// A size for each second: `256B/s`.
Result<uint64_t, Wrong> parse_rate(std::string_view text);

/// `0%` to `100%`, whole.
Result<uint64_t, Wrong> parse_percent(std::string_view text);

/// Decimal digits alone, with no sign, separator, fraction or leading zero.
Result<uint64_t, Wrong> parse_integer(std::string_view text);

/// The inverses: the parser reads back exactly what was formatted. A duration loses what is below a
/// millisecond.
std::string format_duration(Duration duration);
std::string format_size(uint64_t bytes);
std::string format_rate(uint64_t bytes_per_second);
std::string format_percent(uint64_t percent);

}  // namespace weir::config
