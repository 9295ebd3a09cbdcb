#include "proxy/log_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

using weir::proxy::LogWriter;

namespace {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = std::filesystem::temp_directory_path() / "weir_log_XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string file(const char* name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// The reading end of a FIFO of its own making.
class FifoReader {
  public:
    explicit FifoReader(const std::string& path) {
        if (!std::filesystem::exists(path)) REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        fd_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(fd_ >= 0);
    }
    ~FifoReader() { close(); }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    std::string read_some() {
        char bytes[65536];
        const ssize_t count = ::read(fd_, bytes, sizeof bytes);
        return {bytes, static_cast<size_t>(std::max<ssize_t>(count, 0))};
    }

  private:
    int fd_ = -1;
};

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

/// Gives way to the writer's thread until `holds`; false if that takes unreasonably long.
template <class Condition>
bool comes_true(Condition holds) {
    const auto deadline = weir::monotonic_now() + std::chrono::seconds(20);
    while (!holds()) {
        if (weir::monotonic_now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

std::unique_ptr<LogWriter> open_writer(const std::string& target) {
    auto writer = LogWriter::open(target);
    REQUIRE(writer.has_value());
    return std::move(*writer);
}

void submit(LogWriter& writer, std::string lines) {
    writer.submit(lines);
    CHECK(lines.empty());
}

std::string numbered_lines(size_t count, size_t length) {
    std::string lines;
    for (size_t i = 0; i < count; ++i) {
        auto line = std::to_string(i);
        line.resize(length - 1, '.');
        lines += line + "\n";
    }
    return lines;
}

}  // namespace

TEST_CASE("lines are in the file in the order they were submitted once the writer is gone") {
    const TemporaryFolder folder;
    std::string expected;
    {
        const auto writer = open_writer(folder.file("log"));
        for (int i = 0; i < 5000; ++i) {
            const auto line = "line " + std::to_string(i) + "\n";
            expected += line;
            submit(*writer, line);
        }
        CHECK(writer->dropped_lines() == 0);
    }
    CHECK(content_of(folder.file("log")) == expected);
}

TEST_CASE("a log file is appended to and is not for everyone to read") {
    const TemporaryFolder folder;
    submit(*open_writer(folder.file("log")), "first\n");
    submit(*open_writer(folder.file("log")), "second\n");
    CHECK(content_of(folder.file("log")) == "first\nsecond\n");
    const auto permissions = std::filesystem::status(folder.file("log")).permissions();
    CHECK((permissions & (std::filesystem::perms::others_all | std::filesystem::perms::group_write)) ==
          std::filesystem::perms::none);
}

TEST_CASE("buffers from several threads stay whole and each thread's in order") {
    const TemporaryFolder folder;
    constexpr int kThreads = 4;
    constexpr int kBuffers = 400;
    {
        const auto writer = open_writer(folder.file("log"));
        std::vector<std::thread> threads;
        for (int thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&writer, thread] {
                std::string lines;
                for (int i = 0; i < kBuffers; ++i) {
                    lines += std::to_string(thread) + " " + std::to_string(i) + " begin\n";
                    lines += std::to_string(thread) + " " + std::to_string(i) + " end\n";
                    writer->submit(lines);
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    std::ifstream file(folder.file("log"));
    std::vector<int> next(kThreads, 0);
    int thread = 0;
    int number = 0;
    std::string word;
    while (file >> thread >> number >> word) {
        REQUIRE(number == next.at(static_cast<size_t>(thread))++);
        REQUIRE(word == "begin");
        int same_thread = 0;
        REQUIRE((file >> same_thread >> number >> word));
        REQUIRE(same_thread == thread);
        REQUIRE(word == "end");
    }
    CHECK(next == std::vector<int>(kThreads, kBuffers));
}

TEST_CASE("submitting leaves a buffer as roomy as it was") {
    const TemporaryFolder folder;
    const auto writer = open_writer(folder.file("log"));
    std::string lines;
    for (int i = 0; i < 50; ++i) {
        lines.reserve(70000);
        lines = numbered_lines(100, 600);
        writer->submit(lines);
        CHECK(lines.empty());
        CHECK(lines.capacity() >= 60000);
    }
}

TEST_CASE("after a rotation and reopen() lines go to a new file of the same name") {
    const TemporaryFolder folder;
    {
        const auto writer = open_writer(folder.file("log"));
        submit(*writer, "before\n");
        REQUIRE(comes_true([&] { return content_of(folder.file("log")) == "before\n"; }));
        std::filesystem::rename(folder.file("log"), folder.file("log.1"));
        submit(*writer, "between\n");
        REQUIRE(comes_true([&] { return content_of(folder.file("log.1")) == "before\nbetween\n"; }));
        writer->reopen();
        REQUIRE(comes_true([&] { return std::filesystem::exists(folder.file("log")); }));
        submit(*writer, "after\n");
    }
    CHECK(content_of(folder.file("log.1")) == "before\nbetween\n");
    CHECK(content_of(folder.file("log")) == "after\n");
}

TEST_CASE("where the file cannot be reopened the old one is kept") {
    const TemporaryFolder folder;
    {
        const auto writer = open_writer(folder.file("log"));
        std::filesystem::rename(folder.file("log"), folder.file("log.1"));
        std::filesystem::create_directory(folder.file("log"));
        writer->reopen();
        submit(*writer, "after\n");
        CHECK(writer->dropped_lines() == 0);
    }
    CHECK(content_of(folder.file("log.1")) == "after\n");
}

TEST_CASE(
    "past the bound buffers are dropped and their lines counted, and what was taken is written in order") {
    const TemporaryFolder folder;
    FifoReader reader = FifoReader(folder.file("fifo"));
    const auto lines = numbered_lines(1024, 1024);
    constexpr size_t kTaken = LogWriter::kMaxPendingBytes >> 20;
    std::string received;
    {
        const auto writer = open_writer(folder.file("fifo"));
        for (size_t i = 0; i < kTaken + 3; ++i) submit(*writer, lines);
        CHECK(writer->dropped_lines() == 3 * 1024);

        REQUIRE(comes_true([&] { return (received += reader.read_some()).size() == kTaken * lines.size(); }));
        submit(*writer, "late\n");
        CHECK(writer->dropped_lines() == 3 * 1024);
    }
    received += reader.read_some();
    std::string expected;
    for (size_t i = 0; i < kTaken; ++i) expected += lines;
    CHECK((received == expected + "late\n"));
}

TEST_CASE("a writer whose reader takes nothing still comes to its end") {
    const TemporaryFolder folder;
    FifoReader reader = FifoReader(folder.file("fifo"));
    auto writer = open_writer(folder.file("fifo"));
    for (int i = 0; i < 4; ++i) submit(*writer, numbered_lines(1024, 1024));
    const auto begin = weir::monotonic_now();
    writer.reset();
    CHECK(weir::monotonic_now() - begin < std::chrono::seconds(10));
    CHECK(reader.read_some().starts_with("0...."));
}

TEST_CASE("lines for a reader that is gone are counted, and a new reader gets the next ones") {
    const TemporaryFolder folder;
    FifoReader gone = FifoReader(folder.file("fifo"));
    const auto writer = open_writer(folder.file("fifo"));
    gone.close();
    submit(*writer, "one\ntwo\n");
    REQUIRE(comes_true([&] { return writer->dropped_lines() == 2; }));
    FifoReader reader = FifoReader(folder.file("fifo"));
    submit(*writer, "three\n");
    std::string received;
    CHECK(comes_true([&] { return (received += reader.read_some()) == "three\n"; }));
    CHECK(writer->dropped_lines() == 2);
}

TEST_CASE("lines for a full device are counted one by one") {
    const auto writer = open_writer("/dev/full");
    submit(*writer, "one\ntwo\n");
    REQUIRE(comes_true([&] { return writer->dropped_lines() == 2; }));
    submit(*writer, "three\n");
    CHECK(comes_true([&] { return writer->dropped_lines() == 3; }));
}

TEST_CASE("after a line was written in part the next begins on a line of its own") {
    const TemporaryFolder folder;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit narrow = before;
    narrow.rlim_cur = 10;
    uint64_t dropped = 0;
    {
        const auto writer = open_writer(folder.file("log"));
        ::setrlimit(RLIMIT_FSIZE, &narrow);
        std::string lines = "whole\nin two parts\nlost\n";
        writer->submit(lines);
        const bool was_dropped = comes_true([&] { return writer->dropped_lines() > 0; });
        ::setrlimit(RLIMIT_FSIZE, &before);
        REQUIRE(was_dropped);
        dropped = writer->dropped_lines();
        submit(*writer, "next\n");
    }
    CHECK(dropped == 2);
    CHECK(content_of(folder.file("log")) == "whole\nin t\nnext\n");
}

TEST_CASE("the standard streams outlive a writer to them") {
    for (const char* target : {"stdout", "stderr"}) {
        const auto writer = open_writer(target);
        writer->reopen();
    }
    CHECK(::fcntl(STDOUT_FILENO, F_GETFD) != -1);
    CHECK(::fcntl(STDERR_FILENO, F_GETFD) != -1);
}

TEST_CASE("a file that cannot be opened is an error that names it") {
    const TemporaryFolder folder;
    const auto writer = LogWriter::open(folder.file("missing") + "/log");
    REQUIRE(!writer.has_value());
    CHECK(writer.error().find("missing/log") != std::string::npos);
    CHECK(writer.error().find("No such file") != std::string::npos);
}
