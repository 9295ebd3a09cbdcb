#include "base/log.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace weir {
namespace {

/// Sends stderr into memory while it lives.
class StderrCapture {
  public:
    StderrCapture() : memory_(memfd_create("stderr", 0)), before_(dup(STDERR_FILENO)) {
        REQUIRE(memory_ >= 0);
        REQUIRE(before_ >= 0);
        std::fflush(stderr);
        dup2(memory_, STDERR_FILENO);
    }
    ~StderrCapture() {
        std::fflush(stderr);
        dup2(before_, STDERR_FILENO);
        close(before_);
        close(memory_);
    }
    StderrCapture(const StderrCapture&) = delete;
    StderrCapture& operator=(const StderrCapture&) = delete;

    /// What was written, without the colours that a terminal gets.
    [[nodiscard]] std::string plain_text() const {
        std::string plain = text();
        for (size_t at = 0; (at = plain.find('\x1b', at)) != plain.npos;) {
            plain.erase(at, plain.find('m', at) - at + 1);
        }
        return plain;
    }
    [[nodiscard]] std::string text() const {
        std::string text(static_cast<size_t>(lseek(memory_, 0, SEEK_END)), '\0');
        REQUIRE(pread(memory_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
        return text;
    }

  private:
    int memory_;
    int before_;
};

/// Leaves the level as it began: info.
struct LevelGuard {
    explicit LevelGuard(log::Level level) { log::set_level(level); }
    ~LevelGuard() { log::set_level(log::Level::info); }
    LevelGuard(const LevelGuard&) = delete;
    LevelGuard& operator=(const LevelGuard&) = delete;
};

TEST_CASE("a message is one line with time, level and text") {
    const StderrCapture captured;
    log::info("{} connections, {}", 3, "all well");
    std::string shape = captured.plain_text();
    std::replace_if(
        shape.begin(), shape.end(), [](char c) { return c >= '0' && c <= '9'; }, '9');
    CHECK(shape == "9999-99-99T99:99:99.999Z info 9 connections, all well\n");
}

TEST_CASE("the log has no colours where stderr is no terminal") {
    if (isatty(STDERR_FILENO) != 0) return;
    const StderrCapture captured;
    log::error("red on a terminal");
    CHECK(captured.text().find('\x1b') == std::string::npos);
}

TEST_CASE("the level decides what is written") {
    using log::Level;
    constexpr std::array kLevels{Level::debug, Level::info, Level::warning, Level::error};
    constexpr std::array kNames{" debug m\n", " info m\n", " warning m\n", " error m\n"};
    for (size_t least = 0; least < kLevels.size(); ++least) {
        const LevelGuard guard(kLevels[least]);
        const StderrCapture captured;
        log::debug("m");
        log::info("m");
        log::warning("m");
        log::error("m");
        const std::string text = captured.plain_text();
        CAPTURE(text);
        for (size_t i = 0; i < kLevels.size(); ++i) {
            CHECK(log::is_enabled(kLevels[i]) == (i >= least));
            CHECK((text.find(kNames[i]) != std::string::npos) == (i >= least));
        }
    }
}

TEST_CASE("the level is info at first") {
    CHECK(log::is_enabled(log::Level::info));
    CHECK_FALSE(log::is_enabled(log::Level::debug));
}

TEST_CASE("a message that quotes a stranger stays one line and cannot steer the terminal") {
    const StderrCapture captured;
    log::warning("path {}", "/a\r\n2026 error forged\x1b[2J\x7f");
    const std::string text = captured.text();
    CAPTURE(text);
    CHECK(text.find("path /a\\x0d\\n2026 error forged\\x1b[2J\\x7f\n") != std::string::npos);
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("a message is not taken for a format") {
    const StderrCapture captured;
    log::write(log::Level::info, "{} %v \xc3\xa9");
    CHECK(captured.plain_text().ends_with(" info {} %v \xc3\xa9\n"));
}

}  // namespace
}  // namespace weir
