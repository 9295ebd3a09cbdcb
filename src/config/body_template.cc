#include "config/body_template.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/nearest.h"
#include "config/text.h"

namespace weir::config {
namespace {

constexpr size_t kMaxBodyBytes = 65536;
constexpr size_t kMaxWord = 64;  ///< braces included; what is longer is text

struct Placeholder {
    std::string_view name;
    BodyPiece::Kind kind;
};
constexpr auto kPlaceholders = std::to_array<Placeholder>({{"status", BodyPiece::Kind::status},
                                                           {"reason", BodyPiece::Kind::reason},
                                                           {"detail", BodyPiece::Kind::detail},
                                                           {"request_id", BodyPiece::Kind::request_id}});

/// The word that `text` begins with, where it begins with one between braces; else empty.
std::string_view braced_word(std::string_view text) {
    const size_t end = text.substr(0, kMaxWord).find('}');
    if (!text.starts_with('{') || end == std::string_view::npos) return {};
    const std::string_view word = text.substr(1, end - 1);
    const auto belongs = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; };
    return std::all_of(word.begin(), word.end(), belongs) ? word : std::string_view{};
}

Failure<Wrong> not_a_placeholder(std::string_view word) {
    std::vector<std::string> known;
    for (const Placeholder& placeholder : kPlaceholders) known.emplace_back(placeholder.name);
    const std::string near = nearest(word, known);
    return fail(Wrong{fmt::format("{} is not a placeholder", quoted(fmt::format("{{{}}}", word))),
                      near.empty() ? fmt::format("known: {{{}}}", fmt::join(known, "}, {"))
                                   : fmt::format("did you mean `{{{}}}`?", near),
                      fmt::format("{{{}}}", word)});
}

}  // namespace

Result<std::vector<BodyPiece>, Wrong> parse_body(std::string_view text) {
    if (text.empty()) return fail(Wrong{"the body is empty", "give it a text, or leave it out"});
    if (text.size() > kMaxBodyBytes) return fail(Wrong{"the body is longer than 64KiB", {}});
    std::vector<BodyPiece> pieces;
    while (!text.empty()) {
        const std::string_view word = braced_word(text);
        if (word.empty()) {
            const size_t length = std::min(text.find('{', 1), text.size());
            if (pieces.empty() || pieces.back().kind != BodyPiece::Kind::text) pieces.emplace_back();
            pieces.back().text += text.substr(0, length);
            text.remove_prefix(length);
            continue;
        }
        const auto* const found = std::find_if(kPlaceholders.begin(), kPlaceholders.end(),
                                               [&](const Placeholder& known) { return known.name == word; });
        if (found == kPlaceholders.end()) return not_a_placeholder(word);
        pieces.push_back({found->kind, {}});
        text.remove_prefix(word.size() + 2);
    }
    return pieces;
}

}  // namespace weir::config
