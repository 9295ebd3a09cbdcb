// Whether one value of a parameter fits its rule, and what to put in its place where it does not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace weir::policy {

struct ParameterVerdict {
    enum class Outcome : uint8_t {
        fits,
        clamped,  ///< `text` is to be put in its place; of digits, "-" and "." alone
        refused,  ///< `text` says why: "page_size must be an integer from 1 to 100"
    };
    Outcome outcome = Outcome::fits;
    std::string text;
};

/// `value` is percent-decoded. No allocation where it fits.
///
/// An integer is digits with maybe a "-" in front, a number is as in JSON (RFC 8259, 6): what apps accept
/// beyond that (spaces, "+", "1_000", digits of other scripts) they do not all read as the same. A value that
/// is too large to be held is out of the range. What is no number at all has no nearest end, and what is
/// beyond an end that is open has none either: it is refused, whatever `on_violation` says. The open ends of
/// an integer are those of 64 bits.
[[nodiscard]] ParameterVerdict judge(const config::Param&, std::string_view value);

/// "page is required".
[[nodiscard]] std::string say_required(const config::Param&);

}  // namespace weir::policy
