#include "net/listener.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "net/driven_loop.h"
#include "net/quiet_log.h"
#include "net/sockets.h"

namespace weir::net {

namespace {

struct Accepted {
    Fd fd;
    IpAddress peer;
};

/// A listener on a port of the kernel's choice, and clients of it.
class Door {
  public:
    Door() : listening(listen_on_loopback()) {}

    void open() {
        listener.emplace(driven.loop, listening, [this](Fd fd, const IpAddress& peer) {
            accepted.push_back({std::move(fd), peer});
        });
    }
    void knock(size_t count) {
        for (size_t i = 0; i < count; ++i) clients.push_back(connect_to(SocketAddress::local_of(listening)));
    }

    DrivenLoop driven;
    Fd listening;
    std::vector<Fd> clients;
    std::vector<Accepted> accepted;
    std::optional<Listener> listener;
};

/// No descriptor beyond those that are open now.
class NoMoreDescriptors {
  public:
    NoMoreDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        Fd lowest_free(::dup(STDERR_FILENO));
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(lowest_free.get());
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

  private:
    rlimit before_{};
};

}  // namespace

TEST_CASE("a connection is handed over with its peer's address, and blocks nobody") {
    Door door;
    door.open();
    door.knock(1);
    REQUIRE(door.driven.until([&] { return door.accepted.size() == 1; }));
    const Accepted& only = door.accepted.front();
    char text[IpAddress::kMaxText];
    CHECK(std::string(text, only.peer.write(text)) == "127.0.0.1");
    CHECK((::fcntl(only.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(only.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    send_some(door.clients[0], "hello");
    CHECK(receive(only.fd) == "hello");
}

TEST_CASE("a client of a UNIX socket has no address") {
    TemporaryFolder folder;
    const Endpoint endpoint{.host = {}, .port = 0, .path = folder.file("weir.sock")};
    auto listening = listen_on(endpoint, {});
    REQUIRE(listening.has_value());
    DrivenLoop driven;
    std::vector<IpAddress> peers;
    Listener listener(driven.loop, *listening, [&](Fd, const IpAddress& peer) { peers.push_back(peer); });
    Fd client = connect_to(*SocketAddress::literal(endpoint));
    REQUIRE(driven.until([&] { return peers.size() == 1; }));
    CHECK(peers[0] == IpAddress{});
}

TEST_CASE("a flood of connections is taken a batch at a time") {
    Door door;
    door.open();
    door.knock(Listener::kBatch + 10);
    door.driven.settle(1);
    CHECK(door.accepted.size() == Listener::kBatch);
    CHECK(door.driven.until([&] { return door.accepted.size() == Listener::kBatch + 10; }));
}

TEST_CASE("all that wait can be taken at once") {
    Door door;
    door.open();
    door.knock(Listener::kBatch + 10);
    door.listener->accept_waiting();
    CHECK(door.accepted.size() == Listener::kBatch + 10);
}

TEST_CASE("without a listener the clients wait in the kernel's queue") {
    Door door;
    door.open();
    door.listener.reset();
    door.knock(1);
    door.driven.settle();
    CHECK(door.accepted.empty());
    door.open();
    CHECK(door.driven.until([&] { return door.accepted.size() == 1; }));
}

TEST_CASE("out of descriptors a listener pauses, and loses nobody") {
    Door door;
    door.open();
    door.knock(3);
    QuietLog quiet;
    const Time start = door.driven.loop.now();
    {
        NoMoreDescriptors scarcity;
        door.driven.settle();
        CHECK(door.accepted.empty());
        CHECK_FALSE(door.driven.loop.timers().empty());
    }
    CHECK(door.driven.until([&] { return door.accepted.size() == 3; }));
    CHECK(door.driven.loop.now() - start >= Listener::kPause);
}

}  // namespace weir::net
