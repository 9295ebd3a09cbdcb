// The diagnostic log: what the operator reads when something changes or goes wrong. Not the access log.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace weir::log {

enum class Level : unsigned char { debug, info, warning, error };

/// Writes to stderr, one line a message, with time (UTC) and level, coloured on a terminal alone (spdlog,
/// behind log.cc). Control characters in a message are escaped: it stays one line. Threads: any; none waits
/// for whoever reads stderr: what that has no room for is dropped, and counted in the next message that it
/// takes. The level is info at first.
void set_level(Level);
void write(Level, std::string_view message);
[[nodiscard]] bool is_enabled(Level);

template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
    if (is_enabled(Level::debug)) write(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
    if (is_enabled(Level::info)) write(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
    if (is_enabled(Level::warning)) write(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
    if (is_enabled(Level::error)) write(Level::error, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace weir::log
