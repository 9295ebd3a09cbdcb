// Takes full buffers of log lines from the workers and writes them to a file, on a thread of its own: a
// stalled disk costs lines, which are counted, never latency.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "net/socket.h"

namespace weir::proxy {

/// Threads: any. Buffers are written in the order they were submitted, each whole. What cannot be written (a
/// full disk, a pipe nobody reads) is dropped and counted; a later buffer tries again, on a line of its own.
class LogWriter {
    struct Private {
        explicit Private() = default;
    };

  public:
    static constexpr size_t kMaxPendingBytes = 8 << 20;  ///< past this, buffers are dropped and counted

    /// `target` is a path, "stdout" or "stderr". A path is opened for appending with mode 0640; a FIFO needs
    /// a reader.
    static Result<std::unique_ptr<LogWriter>> open(const std::string& target);
    LogWriter(Private, std::string target, net::Fd fd);  ///< for open() alone
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;
    /// Writes what is pending, then closes. A reader that takes nothing is given one second, then the rest is
    /// dropped.
    ~LogWriter();

    /// Takes the content of `lines` (whole lines) and leaves it empty, with capacity for the next ones.
    void submit(std::string& lines);
    /// Opens the path anew (after a rotation) before the next write. Keeps the old file where that fails.
    void reopen();
    [[nodiscard]] uint64_t dropped_lines() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    void run();
    void reopen_file();
    void write_buffer(std::string_view lines);
    [[nodiscard]] bool write_all(std::string_view& rest);
    [[nodiscard]] bool wait_for_room();
    [[nodiscard]] bool may_wait_on();
    void recycle(std::string buffer);
    void count_dropped(std::string_view lines);

    const std::string target_;
    net::Fd fd_;               ///< from here to `stop_pauses_`: the thread's alone
    bool is_regular_ = true;   ///< a file, which cannot make a write wait for a reader
    bool is_failing_ = false;  ///< the last write failed: said in the diagnostic log once
    bool is_in_line_ = false;  ///< the last byte written was not a newline
    int stop_pauses_ = 0;      ///< spent on a reader that takes nothing, after stop_
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::string> pending_;
    std::vector<std::string> spare_;
    size_t pending_bytes_ = 0;  ///< with those the thread is writing
    bool reopen_ = false;
    bool stop_ = false;
    std::atomic<uint64_t> dropped_{0};
    std::thread thread_;
};

}  // namespace weir::proxy
