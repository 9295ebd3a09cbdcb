#include "demo/connection.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::demo {
namespace {

constexpr size_t kReadBytes = 16384;

}  // namespace

void StopSignal::raise() {
    {
        const std::lock_guard lock(mutex_);
        is_raised_ = true;
    }
    raised_.notify_all();
}

bool StopSignal::sleep(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex_);
    return !raised_.wait_for(lock, duration, [this] { return is_raised_; });
}

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = other.release();
    }
    return *this;
}

int Socket::release() { return std::exchange(fd_, -1); }

void Socket::close() {
    if (fd_ >= 0) ::close(release());
}

void Socket::shut_down() const {
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

void Connection::set_patience(std::chrono::seconds patience) const {
    timeval time{};
    time.tv_sec = patience.count();
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

bool Connection::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
}

bool Connection::fill() {
    buffer_.erase(0, std::exchange(begin_, 0));
    const size_t old_size = buffer_.size();
    buffer_.resize(old_size + kReadBytes);
    ssize_t count = 0;
    do {
        count = ::recv(fd_, buffer_.data() + old_size, kReadBytes, 0);
    } while (count < 0 && errno == EINTR);
    buffer_.resize(old_size + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return count > 0;
}

bool Connection::read_line(std::string& line, size_t limit) {
    size_t searched = 0;
    for (;;) {
        const size_t newline = buffer_.find('\n', begin_ + searched);
        if (newline != std::string::npos && newline - begin_ <= limit) {
            line.assign(buffer_, begin_, newline - begin_);
            begin_ = newline + 1;
            if (line.ends_with('\r')) line.pop_back();
            return true;
        }
        searched = buffer_.size() - begin_;
        if (searched > limit || !fill()) return false;
    }
}

bool Connection::read_exactly(std::string& bytes, size_t count) {
    bytes.clear();
    while (bytes.size() < count) {
        const auto piece = read_some(count - bytes.size());
        if (piece.empty()) return false;
        bytes += piece;
    }
    return true;
}

std::string_view Connection::read_some(size_t limit) {
    if (begin_ == buffer_.size() && !fill()) return {};
    const auto piece = std::string_view(buffer_).substr(begin_, limit);
    begin_ += piece.size();
    return piece;
}

}  // namespace weir::demo
