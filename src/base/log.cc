#include "base/log.h"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace weir::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> make_logger() {
    // The sink itself finds out whether stderr is a terminal.
    auto logger =
        std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                                                                      spdlog::pattern_time_type::utc));
    logger->set_level(spdlog::level::info);
    return logger;
}

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = make_logger();
    return *instance;
}

/// With time and level in front and what shows that it was cut, what a pipe takes at once where it has any
/// room.
constexpr size_t kMostBytes = PIPE_BUF - 64;

/// Of all threads: two that see the same room would both write.
struct Turn {
    std::mutex mutex;
    size_t dropped = 0;  ///< since a message was written
};

Turn& turn() {
    static Turn instance;
    return instance;
}

/// To make stderr non-blocking would do so for every process that shares it.
bool stderr_has_room() {
    pollfd stream{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&stream, 1, 0) != 0;
}

void write_line(Level level, std::string_view message) {
    logger().log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// A message may quote what a stranger sent: it must not forge a line of its own or steer the terminal.
std::string escape_controls(std::string_view message) {
    std::string escaped;
    for (const char c : message) {
        if (c == '\n') {
            escaped += "\\n";
        } else if (is_control(c)) {
            fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            escaped += c;
        }
    }
    return escaped;
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

bool is_enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view message) {
    if (!is_enabled(level)) return;
    std::string escaped;
    if (std::any_of(message.begin(), message.end(), is_control)) {
        escaped = escape_controls(message);
        message = escaped;
    }
    if (message.size() > kMostBytes) {
        escaped = std::string(message.substr(0, kMostBytes)) + "...";
        message = escaped;
    }
    const std::lock_guard lock(turn().mutex);
    size_t& dropped = turn().dropped;
    if (dropped > 0 && stderr_has_room())
        write_line(Level::warning,
                   fmt::format("messages dropped, since stderr had no room: {}", std::exchange(dropped, 0)));
    if (stderr_has_room()) {
        write_line(level, message);
    } else {
        ++dropped;
    }
}

}  // namespace weir::log
