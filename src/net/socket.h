// File descriptors, addresses and the few socket calls weir makes. Nothing here knows of loops or HTTP.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"

namespace weir::net {

/// Owns a file descriptor; -1 is none.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        Fd moved(std::move(other));
        std::swap(fd_, moved.fd_);
        return *this;
    }
    ~Fd();

    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// Where a socket is bound or connected to. A plain value.
class SocketAddress {
  public:
    SocketAddress() = default;
    SocketAddress(const sockaddr* address, socklen_t length);

    /// A UNIX path or a literal IPv4 or IPv6 address; nullopt for a name, which net/resolver.h turns into
    /// addresses.
    static std::optional<SocketAddress> literal(const Endpoint&);
    /// What the descriptor is bound to.
    static SocketAddress local_of(const Fd&);

    [[nodiscard]] const sockaddr* get() const { return &any_; }
    [[nodiscard]] socklen_t length() const { return length_; }
    [[nodiscard]] int family() const { return any_.sa_family; }
    [[nodiscard]] uint16_t port() const;     ///< 0 for a UNIX socket
    [[nodiscard]] std::string text() const;  ///< "192.0.2.7:80", "[2001:db8::7]:80", "unix:/run/app.sock"
    [[nodiscard]] bool operator==(const SocketAddress&) const;

  private:
    union {
        sockaddr any_{};
        sockaddr_in v4_;
        sockaddr_in6 v6_;
        sockaddr_un unix_;
    };
    socklen_t length_ = 0;
};

/// An IP address alone, in 16 bytes: IPv4 as IPv4-mapped. A UNIX peer is all zero.
struct IpAddress {
    std::array<uint8_t, 16> bytes{};

    static IpAddress of(const sockaddr*);
    [[nodiscard]] bool is_v4() const;
    /// Writes "192.0.2.7", "2001:db8::7" or "unix"; returns the length. `out` has room for kMaxText.
    static constexpr size_t kMaxText = 46;
    size_t write(char* out) const;
    bool operator==(const IpAddress&) const = default;
};

struct ListenOptions {
    uint32_t unix_mode = 0660;
    bool share_port = false;  ///< SO_REUSEPORT: one socket a worker
};

/// A bound, listening, non-blocking socket. A UNIX socket's file is replaced if nobody answers on it any
/// more. The error says what was tried and why it failed.
Result<Fd> listen_on(const Endpoint&, const ListenOptions&);

/// Makes a listening socket that somebody else has opened behave as one of listen_on() does.
void adopt_listener(const Fd&);

/// Removes a UNIX socket's file when it dies, unless the file has become somebody else's. Movable.
class SocketFile {
  public:
    /// The file that listen_on has just made.
    explicit SocketFile(std::string path);
    SocketFile(SocketFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), id_(std::move(other.id_)) {}
    SocketFile& operator=(SocketFile&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(id_, other.id_);
        return *this;
    }
    ~SocketFile();

  private:
    std::string path_;
    std::pair<uint64_t, uint64_t> id_;  ///< device and inode
};

/// Lets the process have as many descriptors as it may; returns how many that is.
size_t raise_descriptor_limit();

/// Whether an errno tells of this machine alone: of descriptors, ports or memory that it has run out of.
/// Whoever was to be connected to has nothing to do with it.
[[nodiscard]] bool is_shortage(int error);

/// Starts a non-blocking connect. The socket becomes writable when it is settled; socket_error then tells
/// how.
Result<Fd, int> start_connect(const SocketAddress&);
/// 0, or the errno with which the connect or the connection failed. Reading it clears it.
int socket_error(const Fd&);

/// True where the peer's kernel has accepted none of the bytes written after the first `bytes_before`
/// and the peer had closed before: nothing of a request written since can have been read.
/// TCP alone can tell; false where in doubt.
[[nodiscard]] bool none_delivered_since(const Fd&, uint64_t bytes_before);

}  // namespace weir::net
