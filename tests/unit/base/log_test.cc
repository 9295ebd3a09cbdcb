#include "base/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
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

/// A pipe that is full in place of stderr while it lives.
class FullPipe {
  public:
    FullPipe() : before_(dup(STDERR_FILENO)) {
        REQUIRE(pipe2(ends_.data(), O_NONBLOCK) == 0);
        for (const size_t piece : {size_t{4096}, size_t{1}})
            while (write(ends_[1], std::string(piece, '.').data(), piece) > 0) {
            }
        // As whoever starts weir hands it over.
        REQUIRE(fcntl(ends_[1], F_SETFL, 0) == 0);
        std::fflush(stderr);
        dup2(ends_[1], STDERR_FILENO);
    }
    ~FullPipe() {
        dup2(before_, STDERR_FILENO);
        for (const int fd : {before_, ends_[0], ends_[1]}) close(fd);
    }
    FullPipe(const FullPipe&) = delete;
    FullPipe& operator=(const FullPipe&) = delete;

    /// All that is in it.
    std::string drain() {
        std::string all;
        std::array<char, 65536> piece;
        for (ssize_t got = 0; (got = read(ends_[0], piece.data(), piece.size())) > 0;)
            all.append(piece.data(), static_cast<size_t>(got));
        return all;
    }

  private:
    std::array<int, 2> ends_{};
    int before_;
};

TEST_CASE("nobody waits for whoever reads stderr: what it has no room for is counted") {
    FullPipe pipe;
    log::info("unheard");
    log::info("unheard");
    CHECK(pipe.drain().find("unheard") == std::string::npos);
    log::info("heard");
    const std::string text = pipe.drain();
    CAPTURE(text);
    CHECK(text.find(" warning messages dropped, since stderr had no room: 2\n") != std::string::npos);
    CHECK(text.ends_with(" info heard\n"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("a message is cut to what a pipe with any room takes at once") {
    const StderrCapture captured;
    log::info("{}", std::string(100'000, 'x'));
    const std::string text = captured.plain_text();
    CHECK(text.size() <= PIPE_BUF);
    CHECK(text.ends_with("xxx...\n"));
}

}  // namespace
}  // namespace weir
