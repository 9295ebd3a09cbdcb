// How a mistake is shown: as compilers do, with the line quoted and a caret below the place.
#include <algorithm>

#include <fmt/format.h>

#include "config/load.h"
#include "config/text.h"

namespace weir::config {
namespace {

constexpr size_t kMostShown = 100;   ///< characters of a line
constexpr size_t kShownBefore = 60;  ///< of them in front of the caret, where the line is cut
constexpr size_t kMostMessage = 600;

struct Quote {
    std::string text;
    size_t caret = 0;  ///< how far to the right of the text's beginning
};

/// `caret` counts the characters of `line` in front of the place.
Quote quote_line(std::string_view line, size_t caret, bool is_cut) {
    const size_t length = count_characters(line);
    const bool is_long = length > kMostShown;
    const size_t first = is_long && caret > kShownBefore ? caret - kShownBefore : 0;
    const size_t last = std::min(length, first + kMostShown);
    Quote quote;
    if (first > 0 || is_cut) quote.text = "...";
    for (size_t at = 0; at < last; ++at) {
        const Character character = first_character(line);
        if (at == caret) quote.caret = quote.text.empty() ? 0 : count_characters(quote.text);
        if (at >= first) quote.text += printable_character(line, character);
        line.remove_prefix(character.bytes);
    }
    if (caret >= last) quote.caret = count_characters(quote.text);
    if (last < length) quote.text += "...";
    return quote;
}

std::string header(const Diagnostic& diagnostic) {
    const std::string_view severity = diagnostic.severity == Severity::error ? "error" : "warning";
    std::string place = printable(diagnostic.source, kMostMessage);
    if (diagnostic.line != 0) place += fmt::format(":{}:{}", diagnostic.line, diagnostic.column);
    return fmt::format("{}: {}: {}\n", place, severity, printable(diagnostic.message, kMostMessage));
}

std::string quotation(const Diagnostic& diagnostic) {
    if (diagnostic.quoted.empty() && diagnostic.line == 0) return {};
    const size_t before = std::max<size_t>(diagnostic.column, 1) - 1;
    const Quote quote =
        quote_line(diagnostic.quoted, before - std::min(before, diagnostic.cut), diagnostic.cut > 0);
    const std::string margin =
        fmt::format("{:>5}", diagnostic.line == 0 ? "" : std::to_string(diagnostic.line));
    std::string shown = fmt::format("{} | {}\n", margin, quote.text);
    if (diagnostic.column != 0)
        shown += fmt::format("{:>{}} | {:>{}}\n", "", margin.size(), '^', quote.caret + 1);
    return shown;
}

std::string way_out(std::string_view hint) {
    std::string shown;
    while (!hint.empty()) {
        const size_t end = std::min(hint.find('\n'), hint.size());
        shown +=
            fmt::format("{:>8}{}\n", shown.empty() ? "= " : "", printable(hint.substr(0, end), kMostMessage));
        hint.remove_prefix(std::min(end + 1, hint.size()));
    }
    return shown;
}

}  // namespace

std::string render(const Diagnostic& diagnostic) {
    return header(diagnostic) + quotation(diagnostic) + way_out(diagnostic.hint);
}

}  // namespace weir::config
