// One client's socket as a naive app sees it: blocking reads and writes, a buffer, and nothing else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace weir::demo {

/// Tells threads that wait that the app is ending. Threads: any.
class StopSignal {
  public:
    void raise();
    /// Waits that long; false as soon as the signal is raised.
    [[nodiscard]] bool sleep(std::chrono::milliseconds duration);

  private:
    std::mutex mutex_;
    std::condition_variable raised_;
    bool is_raised_ = false;
};

/// Owns a socket. Closing is idempotent.
class Socket {
  public:
    explicit Socket(int fd = -1) : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(other.release()) {}
    Socket& operator=(Socket&& other) noexcept;
    ~Socket() { close(); }

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    void close();
    /// Ends reads and writes that wait on it, in any thread.
    void shut_down() const;

  private:
    int release();
    int fd_;
};

/// Thread: the one that serves the socket, which outlives it.
class Connection {
  public:
    Connection(const Socket& socket, StopSignal& stop) : fd_(socket.fd()), stop_(&stop) {}

    /// A read or a write that makes no progress for so long fails.
    void set_patience(std::chrono::seconds patience) const;
    [[nodiscard]] bool send(std::string_view bytes) const;
    /// Up to and without the next LF or CRLF; false at the end of the stream or past `limit` bytes.
    [[nodiscard]] bool read_line(std::string& line, size_t limit);
    [[nodiscard]] bool read_exactly(std::string& bytes, size_t count);
    /// What there is, at most `limit` bytes, waiting for the first; empty at the end of the stream.
    [[nodiscard]] std::string_view read_some(size_t limit);
    [[nodiscard]] bool sleep(std::chrono::milliseconds duration) const { return stop_->sleep(duration); }

  private:
    [[nodiscard]] bool fill();

    int fd_;
    StopSignal* stop_;
    std::string buffer_;
    size_t begin_ = 0;  ///< of what is not yet read in buffer_
};

}  // namespace weir::demo
