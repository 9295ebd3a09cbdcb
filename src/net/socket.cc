#include "net/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace weir::net {

namespace {

constexpr int kBacklog = 4096;
constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

void enable(const Fd& fd, int level, int option) {
    int one = 1;
    setsockopt(fd.get(), level, option, &one, sizeof one);
}

std::string system_text(int error) { return std::generic_category().message(error); }

/// A kernel may be without it, and then any use of it fails.
bool has_ipv6() {
    const sockaddr_in6 anywhere{.sin6_family = AF_INET6,
                                .sin6_port = 0,
                                .sin6_flowinfo = 0,
                                .sin6_addr = in6addr_any,
                                .sin6_scope_id = 0};
    const Fd probe(socket(AF_INET6, kSocketFlags, 0));
    return probe && bind(probe.get(), reinterpret_cast<const sockaddr*>(&anywhere), sizeof anywhere) == 0;
}

/// A socket file that a dead process left behind answers with ECONNREFUSED.
bool remove_stale_socket_file(const SocketAddress& address, const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
    Fd probe(socket(AF_UNIX, kSocketFlags, 0));
    if (connect(probe.get(), address.get(), address.length()) == 0 || errno != ECONNREFUSED) return false;
    return unlink(path.c_str()) == 0;
}

std::string why_not_bound(const Endpoint& endpoint, int error) {
    std::string_view way_out;
    if (error == EADDRINUSE && !endpoint.is_unix()) way_out = "; as root `ss -ltnp` shows by whom";
    if (error == EADDRNOTAVAIL) way_out = "; it is no address of this machine";
    if (error == EACCES && !endpoint.is_unix())
        way_out = "; ports below 1024 take root or CAP_NET_BIND_SERVICE";
    return fmt::format("cannot listen on {}: {}{}", to_string(endpoint), system_text(error), way_out);
}

Result<Fd> bind_and_listen(const SocketAddress& address, const Endpoint& endpoint,
                           const ListenOptions& options) {
    Fd fd(socket(address.family(), kSocketFlags, 0));
    if (!fd) return fail(fmt::format("cannot make a socket: {}", system_text(errno)));
    enable(fd, SOL_SOCKET, SO_REUSEADDR);
    if (options.share_port && !endpoint.is_unix()) enable(fd, SOL_SOCKET, SO_REUSEPORT);
    // Accepted sockets inherit it, which saves a system call for each.
    if (!endpoint.is_unix()) enable(fd, IPPROTO_TCP, TCP_NODELAY);
    if (address.family() == AF_INET6) {
        int only_v6 = endpoint.host.empty() ? 0 : 1;
        setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
    }
    int bound = bind(fd.get(), address.get(), address.length());
    if (bound != 0 && errno == EADDRINUSE && endpoint.is_unix() &&
        remove_stale_socket_file(address, endpoint.path))
        bound = bind(fd.get(), address.get(), address.length());
    if (bound != 0) return fail(why_not_bound(endpoint, errno));
    if (endpoint.is_unix() && chmod(endpoint.path.c_str(), options.unix_mode) != 0)
        return fail(fmt::format("cannot set the mode of {}: {}", endpoint.path, system_text(errno)));
    if (listen(fd.get(), kBacklog) != 0) return fail(why_not_bound(endpoint, errno));
    return fd;
}

}  // namespace

Fd::~Fd() {
    if (fd_ >= 0) close(fd_);
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length) : length_(length) {
    std::memcpy(&unix_, address, std::min<size_t>(length, sizeof unix_));
}

std::optional<SocketAddress> SocketAddress::literal(const Endpoint& endpoint) {
    SocketAddress made;
    if (endpoint.is_unix()) {
        if (endpoint.path.size() >= sizeof made.unix_.sun_path) return std::nullopt;
        made.unix_ = sockaddr_un{};
        made.unix_.sun_family = AF_UNIX;
        std::memcpy(made.unix_.sun_path, endpoint.path.c_str(), endpoint.path.size() + 1);
        made.length_ = sizeof made.unix_;
        return made;
    }
    made.v4_ = sockaddr_in{};
    if (inet_pton(AF_INET, endpoint.host.c_str(), &made.v4_.sin_addr) == 1) {
        made.v4_.sin_family = AF_INET;
        made.v4_.sin_port = htons(endpoint.port);
        made.length_ = sizeof made.v4_;
        return made;
    }
    made.v6_ = sockaddr_in6{};
    if (inet_pton(AF_INET6, endpoint.host.c_str(), &made.v6_.sin6_addr) == 1) {
        made.v6_.sin6_family = AF_INET6;
        made.v6_.sin6_port = htons(endpoint.port);
        made.length_ = sizeof made.v6_;
        return made;
    }
    return std::nullopt;
}

SocketAddress SocketAddress::local_of(const Fd& fd) {
    SocketAddress made;
    made.length_ = sizeof made.unix_;
    getsockname(fd.get(), &made.any_, &made.length_);
    return made;
}

uint16_t SocketAddress::port() const {
    if (family() == AF_INET) return ntohs(v4_.sin_port);
    if (family() == AF_INET6) return ntohs(v6_.sin6_port);
    return 0;
}

std::string SocketAddress::text() const {
    if (family() == AF_UNIX) return std::string("unix:") + unix_.sun_path;
    char name[INET6_ADDRSTRLEN] = "";
    const void* bytes = family() == AF_INET6 ? static_cast<const void*>(&v6_.sin6_addr) : &v4_.sin_addr;
    inet_ntop(family(), bytes, name, sizeof name);
    return family() == AF_INET6 ? fmt::format("[{}]:{}", name, port()) : fmt::format("{}:{}", name, port());
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    return length_ == other.length_ && std::memcmp(&unix_, &other.unix_, length_) == 0;
}

IpAddress IpAddress::of(const sockaddr* address) {
    IpAddress made;
    if (address->sa_family == AF_INET6) {
        std::memcpy(made.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
    } else if (address->sa_family == AF_INET) {
        made.bytes[10] = made.bytes[11] = 0xff;
        std::memcpy(made.bytes.data() + 12, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    }
    return made;
}

bool IpAddress::is_v4() const {
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes.data(), kMapped, sizeof kMapped) == 0;
}

size_t IpAddress::write(char* out) const {
    if (is_v4()) {
        // Written for every request: inet_ntop goes through printf here.
        char* end = out;
        for (size_t part = 12; part < bytes.size(); ++part) {
            end = std::to_chars(end, out + kMaxText, bytes[part]).ptr;
            *end++ = '.';
        }
        return static_cast<size_t>(end - 1 - out);
    }
    if (*this == IpAddress{}) {
        std::memcpy(out, "unix", 5);
    } else {
        inet_ntop(AF_INET6, bytes.data(), out, kMaxText);
    }
    return std::strlen(out);
}

Result<Fd> listen_on(const Endpoint& endpoint, const ListenOptions& options) {
    Endpoint resolved = endpoint;
    if (!endpoint.is_unix() && endpoint.host.empty()) {
        resolved.host = has_ipv6() ? "::" : "0.0.0.0";
    } else if (endpoint.host == "localhost") {
        resolved.host = "127.0.0.1";
    }
    auto address = SocketAddress::literal(resolved);
    if (!address)
        return fail(
            fmt::format("cannot listen on {}: an address is needed there, not a name", to_string(endpoint)));
    return bind_and_listen(*address, endpoint, options);
}

void adopt_listener(const Fd& fd) {
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    if (SocketAddress::local_of(fd).family() != AF_UNIX) enable(fd, IPPROTO_TCP, TCP_NODELAY);
}

namespace {

std::pair<uint64_t, uint64_t> file_id(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino};
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)), id_(file_id(path_)) {}

SocketFile::~SocketFile() {
    if (!path_.empty() && file_id(path_) == id_) unlink(path_.c_str());
}

size_t raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? limit.rlim_max : limit.rlim_cur;
}

bool is_shortage(int error) {
    switch (error) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL: return true;  // a connect finds no port of its own
        default: return false;
    }
}

Result<Fd, int> start_connect(const SocketAddress& address) {
    Fd fd(socket(address.family(), kSocketFlags, 0));
    if (!fd) return fail(int{errno});
    if (address.family() != AF_UNIX) enable(fd, IPPROTO_TCP, TCP_NODELAY);
    if (connect(fd.get(), address.get(), address.length()) != 0 && errno != EINPROGRESS)
        return fail(int{errno});
    return fd;
}

int socket_error(const Fd& fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    return error;
}

bool none_delivered_since(const Fd& fd, uint64_t bytes_before) {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
    if (length < offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return false;
    // The connection's SYN counts as one acknowledged byte.
    return info.tcpi_bytes_acked <= bytes_before + 1;
}

}  // namespace weir::net
