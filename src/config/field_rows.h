// How the table is put together: its rows stand in one file for each part of the language, and rows that
// exist below several keys stand once, in a fragment.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "config/field_table.h"

namespace weir::config {

[[nodiscard]] std::span<const Field> service_rows();   ///< listen, admin, workers, drain
[[nodiscard]] std::span<const Field> upstream_rows();  ///< upstream, health
[[nodiscard]] std::span<const Field> limit_rows();     ///< clients, limits, buffers, timeout
[[nodiscard]] std::span<const Field> answer_rows();    ///< cors, log, errors, headers, public
[[nodiscard]] std::span<const Field> route_rows();     ///< routes
[[nodiscard]] std::span<const Field> shadow_rows();    ///< shadow

/// Text as a template argument.
template <size_t N>
struct Literal {
    std::array<char, N> text{};  ///< with its NUL

    constexpr Literal() = default;
    consteval Literal(const char (&chars)[N]) { std::copy_n(chars, N, text.begin()); }
};

template <Literal Prefix, Literal Name>
inline constexpr auto kJoined = [] {
    Literal<Prefix.text.size() + Name.text.size() - 1> joined;
    const auto middle = std::copy_n(Prefix.text.begin(), Prefix.text.size() - 1, joined.text.begin());
    std::copy_n(Name.text.begin(), Name.text.size(), middle);
    return joined;
}();

/// The path of a fragment's row: `below<"limits", ".mode">`.
template <Literal Prefix, Literal Name>
inline constexpr std::string_view below{kJoined<Prefix, Name>.text.data(),
                                        kJoined<Prefix, Name>.text.size() - 1};

template <size_t... Sizes>
constexpr auto concatenated(const std::array<Field, Sizes>&... parts) {
    std::array<Field, (Sizes + ...)> all{};
    auto end = all.begin();
    ((end = std::copy(parts.begin(), parts.end(), end)), ...);
    return all;
}

}  // namespace weir::config
