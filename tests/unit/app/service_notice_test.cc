#include "app/service_notice.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "net/sockets.h"

namespace weir::app {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

/// Set as long as it lives.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
    ~Variable() { unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    const char* name_;
};

/// Where a service says how it is.
struct Manager {
    Manager() : socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    [[nodiscard]] std::string heard() const {
        char room[1024];
        const ssize_t count = ::recv(socket.get(), room, sizeof room, 0);
        return count < 0 ? "nothing" : std::string(room, static_cast<size_t>(count));
    }

    net::TemporaryFolder folder;
    std::string path = folder.file("notify");
    net::Fd socket;
    Variable variable{"NOTIFY_SOCKET", path};
};

/// What `look` finds in a process of its own, whose descriptors from 3 on are these.
template <class Look>
std::string in_a_process_with(const std::vector<int>& handed_over, Look look) {
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const net::Fd from(pipe_ends[0]);
    net::Fd to(pipe_ends[1]);
    const pid_t child = fork();
    if (child == 0) {
        const int out = fcntl(to.get(), F_DUPFD, 100);
        std::vector<int> moved;
        for (const int fd : handed_over) moved.push_back(fcntl(fd, F_DUPFD, 100));
        for (size_t index = 0; index < moved.size(); ++index) dup2(moved[index], 3 + static_cast<int>(index));
        setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
        setenv("LISTEN_FDS", std::to_string(handed_over.size()).c_str(), 1);
        const std::string found = look();
        _exit(write(out, found.data(), found.size()) == static_cast<ssize_t>(found.size()) ? 0 : 1);
    }
    to = net::Fd();
    char room[4096];
    const ssize_t count = read(from.get(), room, sizeof room);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    return {room, static_cast<size_t>(std::max<ssize_t>(count, 0))};
}

std::string names_of_sockets() {
    auto sockets = service_notice::take_sockets();
    if (!sockets) return sockets.error();
    std::string names;
    for (const net::Fd& socket : *sockets) names += net::SocketAddress::local_of(socket).text() + "\n";
    return names;
}

std::string name_of(const net::Fd& socket) { return net::SocketAddress::local_of(socket).text() + "\n"; }

}  // namespace

TEST_CASE("the manager is told when weir serves, reloads, drains and lives") {
    const Manager manager;
    service_notice::ready("listens on :80");
    CHECK(manager.heard() == "READY=1\nSTATUS=listens on :80");
    // Its clock is the one that systemd compares with.
    service_notice::reloading(Time(microseconds(1'234'567)));
    CHECK(manager.heard() == "RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=reloading");
    service_notice::stopping(seconds(30));
    CHECK(manager.heard() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000\nSTATUS=draining");
    service_notice::alive();
    CHECK(manager.heard() == "WATCHDOG=1");
    CHECK(manager.heard() == "nothing");
}

TEST_CASE("where no manager is, nothing is told, nothing is handed over and nobody watches") {
    service_notice::ready("");
    service_notice::alive();
    const auto sockets = service_notice::take_sockets();
    REQUIRE(sockets.has_value());
    CHECK(sockets->empty());
    CHECK_FALSE(service_notice::watchdog_interval().has_value());
}

TEST_CASE("the manager says how long it waits for a sign of life, and whom it means") {
    const Variable interval("WATCHDOG_USEC", "1500000");
    CHECK(service_notice::watchdog_interval() == Duration(microseconds(1'500'000)));
    const Variable own("WATCHDOG_PID", std::to_string(getpid()));
    CHECK(service_notice::watchdog_interval() == Duration(microseconds(1'500'000)));
    const Variable other("WATCHDOG_PID", "1");
    CHECK_FALSE(service_notice::watchdog_interval().has_value());
}

TEST_CASE("sockets are taken over in their order, once") {
    const net::Fd one = net::listen_on_loopback();
    const net::Fd two = net::listen_on_loopback();
    const std::string found = in_a_process_with({one.get(), two.get()}, [] {
        const std::string first = names_of_sockets();
        return first + "then: " + names_of_sockets();
    });
    CHECK(found == name_of(one) + name_of(two) + "then: ");
}

TEST_CASE("a descriptor that is no listening socket of streams is named") {
    const net::Fd listening = net::listen_on_loopback();
    const net::SocketPair connected = net::tcp_pair();
    const net::SocketPair datagrams = net::unix_pair(SOCK_DGRAM);
    const net::Fd file(open("/dev/null", O_RDONLY));
    for (const net::Fd* wrong : {&connected.near, &datagrams.near, &file})
        CHECK(in_a_process_with({listening.get(), wrong->get()}, names_of_sockets) ==
              "descriptor 4 was handed over, and is not a listening socket");
}

TEST_CASE("sockets that are meant for another process are not taken") {
    const net::Fd listening = net::listen_on_loopback();
    const std::string found = in_a_process_with({listening.get()}, [] {
        setenv("LISTEN_PID", "1", 1);
        return names_of_sockets() + "none";
    });
    CHECK(found == "none");
}

}  // namespace weir::app
