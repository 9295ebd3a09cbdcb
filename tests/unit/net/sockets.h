// Pairs of connected sockets and what a test does at the far end of one. Nothing here waits.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "net/socket.h"

namespace weir::net {

/// Removed with all that is in it.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = std::filesystem::temp_directory_path() / "weir_unit_XXXXXX";
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] std::string file(const char* name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

struct SocketPair {
    Fd near;
    Fd far;
};

inline SocketPair unix_pair(int type = SOCK_STREAM) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

/// On a port that the kernel chooses.
inline Fd listen_on_loopback() {
    auto listening = listen_on({.host = "127.0.0.1", .port = 0, .path = {}}, {});
    REQUIRE(listening.has_value());
    return std::move(*listening);
}

inline Fd connect_to(const SocketAddress& address) {
    auto fd = start_connect(address);
    REQUIRE(fd.has_value());
    return std::move(*fd);
}

/// An invalid one where no client waits.
inline Fd accept_one(const Fd& listening) {
    return Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/// `near` has connected to `far`. The loopback device delivers within the call that sends.
inline SocketPair tcp_pair() {
    Fd listening = listen_on_loopback();
    Fd near = connect_to(SocketAddress::local_of(listening));
    Fd far = accept_one(listening);
    REQUIRE(far);
    return {std::move(near), std::move(far)};
}

/// How many bytes the socket takes now.
inline size_t send_some(const Fd& fd, std::string_view bytes) {
    ssize_t count = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<size_t>(count);
}

/// Everything that has arrived.
inline std::string receive(const Fd& fd) {
    std::string all;
    char room[65536];
    for (ssize_t count; (count = ::recv(fd.get(), room, sizeof room, 0)) > 0;)
        all.append(room, static_cast<size_t>(count));
    return all;
}

/// What comes next: "data", "nothing", "end", or "reset".
inline std::string_view next_at(const Fd& fd) {
    char byte;
    ssize_t count = ::recv(fd.get(), &byte, 1, MSG_PEEK);
    if (count > 0) return "data";
    if (count == 0) return "end";
    return errno == EAGAIN ? "nothing" : "reset";
}

inline void send_end(const Fd& fd) { ::shutdown(fd.get(), SHUT_WR); }

/// Closes it so that the peer sees a reset, not an end.
inline void reset(Fd& fd) {
    linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd = Fd();
}

}  // namespace weir::net
