#include "proxy/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace weir::proxy {
namespace {

constexpr size_t kSpareBuffers = 8;
constexpr size_t kStreamWriteBytes = PIPE_BUF;  // what a pipe that polls as writable takes at once, whole
constexpr int kPauseMilliseconds = 100;
constexpr int kMaxStopPauses = 10;

std::string last_error() { return std::generic_category().message(errno); }

bool is_standard_stream(const std::string& target) { return target == "stdout" || target == "stderr"; }

/// None, with errno set, where it fails, or where the stream was closed when weir was started.
net::Fd duplicate_of(int stream) {
    const int flags = ::fcntl(stream, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return net::Fd(::fcntl(stream, F_DUPFD_CLOEXEC, 3));
    if (flags >= 0) errno = EBADF;
    return {};
}

/// None, with errno set, where it fails.
net::Fd open_target(const std::string& target) {
    if (target == "stdout") return duplicate_of(STDOUT_FILENO);
    if (target == "stderr") return duplicate_of(STDERR_FILENO);
    // Non-blocking, for the open of a FIFO would otherwise wait for a reader. It means nothing to a file.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    return net::Fd(::open(target.c_str(), kFlags, 0640));
}

bool is_regular_file(const net::Fd& fd) {
    struct stat status {};
    return ::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode);
}

/// The kernel sends these to the thread whose write failed; their default is to end the process.
void block_write_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    sigaddset(&signals, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

/// A piece a stream takes at once, of whole lines where they fit: others may write to the same stdout.
std::string_view stream_piece(std::string_view rest) {
    if (rest.size() <= kStreamWriteBytes) return rest;
    const size_t newline = rest.rfind('\n', kStreamWriteBytes - 1);
    return rest.substr(0, newline == std::string_view::npos ? kStreamWriteBytes : newline + 1);
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::open(const std::string& target) {
    net::Fd fd = open_target(target);
    if (!fd) return fail("cannot open the access log " + target + ": " + last_error());
    try {
        return std::make_unique<LogWriter>(Private{}, target, std::move(fd));
    } catch (const std::system_error& none) {
        return fail("there is no thread to write the access log " + target + ": " + none.code().message());
    }
}

LogWriter::LogWriter(Private, std::string target, net::Fd fd)
    : target_(std::move(target)),
      fd_(std::move(fd)),
      is_regular_(is_regular_file(fd_)),
      thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void LogWriter::submit(std::string& lines) {
    if (lines.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        if (lines.size() <= kMaxPendingBytes - pending_bytes_) {
            pending_bytes_ += lines.size();
            // Joined where there is room, or many small submissions would pin a large buffer each while a
            // disk stalls.
            if (!pending_.empty() && pending_.back().capacity() - pending_.back().size() >= lines.size()) {
                pending_.back() += lines;
                lines.clear();
            } else {
                const size_t capacity = lines.capacity();
                pending_.push_back(std::exchange(lines, {}));
                if (!spare_.empty()) {
                    lines.swap(spare_.back());
                    spare_.pop_back();
                }
                lines.reserve(capacity);
            }
        }
    }
    if (lines.empty()) {
        wake_.notify_one();
        return;
    }
    count_dropped(lines);
    lines.clear();
}

void LogWriter::reopen() {
    if (is_standard_stream(target_)) return;
    {
        const std::lock_guard lock(mutex_);
        reopen_ = true;
    }
    wake_.notify_one();
}

void LogWriter::run() {
    block_write_signals();
    std::vector<std::string> batch;
    for (;;) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stop_ || reopen_ || !pending_.empty(); });
        if (stop_ && pending_.empty()) return;
        batch.swap(pending_);
        lock.unlock();
        // A batch may take long to write, so the wish to reopen is asked for again before each of its
        // buffers.
        reopen_file();
        for (auto& buffer : batch) {
            reopen_file();
            write_buffer(buffer);
            recycle(std::move(buffer));
        }
        batch.clear();
    }
}

void LogWriter::reopen_file() {
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(reopen_, false)) return;
    }
    net::Fd fresh = open_target(target_);
    if (!fresh) {
        log::error("cannot reopen the access log {}, writing to the old one: {}", target_, last_error());
        return;
    }
    fd_ = std::move(fresh);
    is_regular_ = is_regular_file(fd_);
    is_in_line_ = false;
}

void LogWriter::write_buffer(std::string_view lines) {
    // A write that failed in the middle of a line left the start of it behind.
    std::string_view line_end = is_in_line_ ? "\n" : "";
    if (write_all(line_end) && write_all(lines)) {
        if (std::exchange(is_failing_, false)) log::info("the access log {} is written again", target_);
        return;
    }
    if (!std::exchange(is_failing_, true)) {
        log::error("cannot write the access log {}, dropping lines: {}", target_, last_error());
    }
    count_dropped(lines);
}

/// Leaves in `rest` what was not written; errno says why.
bool LogWriter::write_all(std::string_view& rest) {
    while (!rest.empty()) {
        if (!is_regular_ && !wait_for_room()) return false;
        const auto piece = is_regular_ ? rest : stream_piece(rest);
        const ssize_t written = ::write(fd_.get(), piece.data(), piece.size());
        if (written > 0) {
            is_in_line_ = rest[static_cast<size_t>(written) - 1] != '\n';
            rest.remove_prefix(static_cast<size_t>(written));
        } else if (written == 0 || errno == EAGAIN) {
            ::poll(nullptr, 0, kPauseMilliseconds);
            if (!may_wait_on()) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/// Asked before each write to a stream: stdout may be a blocking pipe, and to make it a non-blocking one
/// would do so for every process that shares it.
bool LogWriter::wait_for_room() {
    pollfd stream{fd_.get(), POLLOUT, 0};
    for (;;) {
        const int ready = ::poll(&stream, 1, kPauseMilliseconds);
        if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
        if (!may_wait_on()) return false;
    }
}

/// Asked after each pause. False once the writer is to stop and its patience is at an end.
bool LogWriter::may_wait_on() {
    const std::lock_guard lock(mutex_);
    if (!stop_ || ++stop_pauses_ <= kMaxStopPauses) return true;
    errno = ETIMEDOUT;
    return false;
}

void LogWriter::recycle(std::string buffer) {
    const std::lock_guard lock(mutex_);
    pending_bytes_ -= buffer.size();
    if (spare_.size() >= kSpareBuffers) return;
    buffer.clear();
    spare_.push_back(std::move(buffer));
}

void LogWriter::count_dropped(std::string_view lines) {
    dropped_.fetch_add(static_cast<uint64_t>(std::ranges::count(lines, '\n')), std::memory_order_relaxed);
}

}  // namespace weir::proxy
