// Pools of two workers that lead to one server, and share the room for connections to it.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "proxy/pooled.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;
using Want = UpstreamPool::Want;

/// Two workers on the test's thread, and one app.
struct Pair {
    explicit Pair(uint32_t bound) { here.berths->set_bound(bound); }

    /// What has been posted to either happens.
    void settle() {
        for (int round = 0; round < 3; ++round) {
            there.driven.settle(5);
            here.parts.driven.settle(5);
        }
    }
    [[nodiscard]] bool until_connected(const RecordingUser& who) {
        for (int round = 0; round < 1000 && !who.is_connected; ++round) settle();
        return who.is_connected;
    }

    Pooled here;
    WorkerParts there;
    Kit& other_kit = there.kit();
    UpstreamPool other{
        other_kit, {.address = here.app.endpoint(), .berths = here.berths}, other_kit.metrics->server(0)};
    RecordingUser user;
};

}  // namespace

TEST_CASE("a connection that lies idle with one worker is used by the other, once there is no room") {
    Pair pair(1);
    pair.here.fill(1);
    Lease lease = pair.other.lease(pair.user, Want::any);
    CHECK(lease->is_waiting());
    CHECK(pair.other.in_use() == 0);
    REQUIRE(pair.until_connected(pair.user));
    CHECK(pair.here.pool.idle() == 0);
    CHECK(pair.other.in_use() == 1);
    CHECK(lease->reused());
    CHECK(pair.other_kit.metrics->server(0).reused.read() == 1);
    CHECK_FALSE(net::accept_one(pair.here.app.listening));
    std::string mark = "?";
    iovec piece{.iov_base = mark.data(), .iov_len = mark.size()};
    CHECK(lease->write({&piece, 1}).bytes == 1);
    CHECK(net::receive(pair.here.fars[0]) == "?");
    CHECK(lease->moved_bytes() > 1);  // those of its former life count on
}

TEST_CASE("with room left the other worker opens its own") {
    Pair pair(2);
    pair.here.fill(1);
    Lease lease = pair.other.lease(pair.user, Want::any);
    CHECK_FALSE(lease->is_waiting());
    REQUIRE(pair.until_connected(pair.user));
    CHECK(pair.here.pool.idle() == 1);
    CHECK(net::accept_one(pair.here.app.listening));
}

TEST_CASE("what becomes idle while another worker waits is handed over at once") {
    Pair pair(1);
    auto loan = pair.here.borrow();
    net::Fd far = pair.here.app.accept();
    Lease lease = pair.other.lease(pair.user, Want::any);
    pair.settle();
    CHECK(lease->is_waiting());
    pair.here.serve(loan, far);
    loan.lease.drop();
    CHECK(pair.here.pool.idle() == 0);
    REQUIRE(pair.until_connected(pair.user));
    CHECK(lease->reused());
}

TEST_CASE("a connection that is closed makes room for the other worker's") {
    Pair pair(1);
    auto loan = pair.here.borrow();
    net::Fd far = pair.here.app.accept();
    Lease lease = pair.other.lease(pair.user, Want::any);
    pair.settle();
    loan.lease.drop();
    CHECK(net::next_at(far) == "end");
    REQUIRE(pair.until_connected(pair.user));
    CHECK_FALSE(lease->reused());
    CHECK(net::accept_one(pair.here.app.listening));
}

TEST_CASE("who wants a fresh connection has an idle one closed for it, be it its own worker's") {
    for (const bool is_own : {true, false}) {
        CAPTURE(is_own);
        Pair pair(1);
        pair.here.fill(1);
        UpstreamPool& pool = is_own ? pair.here.pool : pair.other;
        Lease lease = pool.lease(pair.user, Want::fresh);
        REQUIRE(pair.until_connected(pair.user));
        CHECK_FALSE(lease->reused());
        CHECK(net::next_at(pair.here.fars[0]) == "end");
        CHECK(pair.here.berths->taken() == 1);
    }
}

TEST_CASE("a connection that the app closes on the way is no worse than one that was idle here") {
    Pair pair(1);
    pair.here.fill(1);
    Lease lease = pair.other.lease(pair.user, Want::any);
    pair.here.parts.driven.settle(5);  // it is given up,
    CHECK(pair.here.pool.idle() == 0);
    pair.here.fars[0] = net::Fd();  // closed,
    for (int round = 0; round < 1000 && pair.user.failures.empty(); ++round) pair.settle();
    REQUIRE(pair.user.failures.size() == 1);  // and taken over
    CHECK(pair.user.failures[0].reason == http::Reason::upstream_reset);
    CHECK(pair.user.failures[0].retry == Retry::if_unprocessed);
    CHECK(lease->reused());
    CHECK(lease->none_delivered());
    lease.drop();
    CHECK(pair.here.berths->taken() == 0);
}

TEST_CASE("a dead connection is not handed over: its room is") {
    Pair pair(1);
    pair.here.fill(1);
    pair.here.fars[0] = net::Fd();
    Lease lease = pair.other.lease(pair.user, Want::any);
    REQUIRE(pair.until_connected(pair.user));
    CHECK_FALSE(lease->reused());
}

TEST_CASE("who leaves while it waits gives its turn to the next") {
    Pair pair(1);
    auto loan = pair.here.borrow();
    net::Fd far = pair.here.app.accept();
    RecordingUser leaver;
    Lease left = pair.other.lease(leaver, Want::any);
    Lease lease = pair.other.lease(pair.user, Want::any);
    pair.settle();
    SUBCASE("before it is granted") { left.drop(); }
    pair.here.serve(loan, far);
    loan.lease.drop();
    SUBCASE("after") { left.drop(); }
    REQUIRE(pair.until_connected(pair.user));
    CHECK_FALSE(leaver.is_connected);
    CHECK(pair.here.berths->taken() == 1);
}

TEST_CASE("who has waited for too long goes ahead, and the next idle connection makes up for it") {
    Pair pair(1);
    auto loan = pair.here.borrow();
    net::Fd far = pair.here.app.accept();
    Lease lease = pair.other.lease(pair.user, Want::any);
    pair.settle();
    pair.other.go_ahead(*lease);
    CHECK(pair.here.berths->taken() == 2);
    REQUIRE(pair.until_connected(pair.user));
    pair.settle();
    pair.here.serve(loan, far);
    loan.lease.drop();
    CHECK(pair.here.pool.idle() == 0);
    CHECK(net::next_at(far) == "end");
    CHECK(pair.here.berths->taken() == 1);
}

TEST_CASE("a tunnel takes no room") {
    Pair pair(1);
    auto loan = pair.here.borrow();
    net::Fd far = pair.here.app.accept();
    net::send_some(far, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    REQUIRE(pair.here.parts.driven.until([&] { return pair.here.berths->taken() == 0; }));
    Lease lease = pair.other.lease(pair.user, Want::any);
    CHECK_FALSE(lease->is_waiting());
    loan.lease.drop();
    CHECK(pair.here.berths->taken() == 1);
}

TEST_CASE("connections are opened ahead of need only where there is room, and give way") {
    Pair pair(2);
    pair.here.bounds.min_idle = 5;
    pair.here.settle();
    pair.here.pool.sweep(pair.here.now());
    CHECK(pair.here.berths->taken() == 2);
    Lease lease;
    SUBCASE("idle") {
        REQUIRE(pair.here.parts.driven.until([&] { return pair.here.pool.idle() == 2; }));
        lease = pair.other.lease(pair.user, Want::any);
    }
    SUBCASE("while they are being opened") { lease = pair.other.lease(pair.user, Want::any); }
    REQUIRE(pair.until_connected(pair.user));
    CHECK(pair.here.berths->taken() == 2);
}

TEST_CASE("a bound that is lowered closes what lies idle above it, with whichever worker") {
    Pair pair(Berths::kUnbounded);
    pair.here.fill(3);
    Lease lease = pair.other.lease(pair.user, Want::any);
    REQUIRE(pair.until_connected(pair.user));
    pair.here.berths->set_bound(2);
    pair.settle();
    CHECK(pair.here.pool.idle() == 1);
    CHECK(pair.here.berths->taken() == 2);
}

TEST_CASE("a connection that leads to where the app was is not taken over") {
    Pair pair(1);
    pair.here.fill(1);
    App elsewhere;
    pair.other.set_addresses({*net::SocketAddress::literal(elsewhere.endpoint())});
    Lease lease = pair.other.lease(pair.user, Want::any);
    REQUIRE(pair.until_connected(pair.user));
    CHECK_FALSE(lease->reused());
    CHECK(net::accept_one(elsewhere.listening));
    CHECK(net::next_at(pair.here.fars[0]) == "end");
    CHECK(pair.here.berths->taken() == 1);
}

TEST_CASE(
    "a pool that goes over to other berths takes its connections with it, and who waits waits no more") {
    Pair pair(1);
    auto loan = pair.here.borrow();
    Lease lease = pair.other.lease(pair.user, Want::any);
    CHECK(lease->is_waiting());
    auto others = std::make_shared<Berths>(1);
    pair.other.settle(pair.here.bounds, {.address = pair.here.app.endpoint(), .berths = others},
                      pair.other_kit.metrics->server(0));
    REQUIRE(pair.until_connected(pair.user));
    CHECK(others->taken() == 1);
    CHECK(pair.here.berths->taken() == 1);
}

}  // namespace weir::proxy
