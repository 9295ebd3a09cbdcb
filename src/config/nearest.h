// What someone probably meant by a name that does not exist.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::config {

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
[[nodiscard]] size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, the first of several equally near; empty where none is near enough to be
/// meant.
[[nodiscard]] std::string nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace weir::config
