#include "proxy/upstream_pool.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "proxy/pooled.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;
using Want = UpstreamPool::Want;

/// Asks at the far end of which connection the pool's next one ends.
size_t far_end_of(Pooled& pooled, Pooled::Loan& loan) {
    std::string mark = "?";
    iovec piece{.iov_base = mark.data(), .iov_len = mark.size()};
    loan.lease->write({&piece, 1});
    for (size_t i = 0; i < pooled.fars.size(); ++i)
        if (!net::receive(pooled.fars[i]).empty()) return i;
    return pooled.fars.size();
}

}  // namespace

TEST_CASE("a lease from an empty pool is a new connection, and its user is told when it is there") {
    Pooled pooled;
    RecordingUser user;
    Lease lease = pooled.pool.lease(user, Want::any);
    CHECK_FALSE(user.is_connected);
    CHECK(pooled.pool.in_use() == 1);
    CHECK(pooled.parts.driven.until([&] { return user.is_connected; }));
    CHECK(lease->is_connected());
    CHECK_FALSE(lease->reused());
}

TEST_CASE("a connection that has served its request is used again") {
    Pooled pooled;
    pooled.fill(1);
    CHECK(pooled.pool.in_use() == 0);
    auto again = pooled.borrow();
    CHECK(again.lease->reused());
    CHECK_FALSE(net::accept_one(pooled.app.listening));
    pooled.serve(again, pooled.fars[0]);
    CHECK(again.user->status == 204);
}

TEST_CASE("the connection that was used last is used first") {
    Pooled pooled;
    pooled.fill(3);
    auto first = pooled.borrow();
    CHECK(far_end_of(pooled, first) == 2);
    auto second = pooled.borrow();
    CHECK(far_end_of(pooled, second) == 1);
    auto third = pooled.borrow();
    CHECK(far_end_of(pooled, third) == 0);
    CHECK(pooled.pool.idle() == 0);
    CHECK(pooled.pool.in_use() == 3);
}

TEST_CASE("a fresh connection is a new one, whatever lies idle") {
    Pooled pooled;
    pooled.fill(1);
    auto fresh = pooled.borrow(Want::fresh);
    CHECK_FALSE(fresh.lease->reused());
    CHECK(net::accept_one(pooled.app.listening));
    CHECK(pooled.pool.idle() == 1);
}

TEST_CASE("a connection given back in the middle of its exchange is closed") {
    Pooled pooled;
    auto loan = pooled.borrow();
    net::Fd far = pooled.app.accept();
    loan.lease.drop();
    CHECK(pooled.pool.idle() == 0);
    CHECK(pooled.pool.in_use() == 0);
    CHECK(net::next_at(far) == "end");
}

TEST_CASE("a connection is not used again where the app's answer forbids it") {
    for (const char* answer : {"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
                               "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                               "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"}) {
        Pooled pooled;
        auto loan = pooled.borrow();
        net::Fd far = pooled.app.accept();
        pooled.serve(loan, far, answer);
        loan.lease.drop();
        CHECK_MESSAGE(pooled.pool.idle() == 0, answer);
    }
}

TEST_CASE("a connection carries max_requests and no more") {
    Pooled pooled;
    pooled.bounds.max_requests = 2;
    pooled.settle();
    pooled.fill(1);
    auto second = pooled.borrow();
    CHECK(second.lease->reused());
    pooled.serve(second, pooled.fars[0]);
    second.lease.drop();
    CHECK(pooled.pool.idle() == 0);
    CHECK(net::next_at(pooled.fars[0]) == "end");
}

TEST_CASE("a connection past max_age is not given out, and the sweep closes it") {
    Pooled pooled;
    pooled.fill(1);
    pooled.pool.sweep(pooled.now() + pooled.bounds.max_age - 1s);
    CHECK(pooled.pool.idle() == 1);
    pooled.pool.sweep(pooled.now() + pooled.bounds.max_age);
    CHECK(pooled.pool.idle() == 0);

    pooled.fill(1);
    pooled.bounds.max_age = 0s;
    pooled.settle();
    auto loan = pooled.borrow();
    CHECK_FALSE(loan.lease->reused());
}

TEST_CASE("a connection idle for too long is closed, whoever knows how long that is") {
    struct Example {
        std::optional<Duration> configured;
        const char* announced;
        Duration limit;
    };
    for (const Example& example :
         {Example{30s, "", 30s}, Example{30s, "Keep-Alive: timeout=5\r\n", 30s}, Example{{}, "", 60s},
          Example{{}, "Keep-Alive: timeout=5, max=100\r\n", 4s},
          Example{{}, "Keep-Alive: timeout=1\r\n", 500ms}, Example{{}, "Keep-Alive: timeout=0\r\n", 60s},
          Example{{}, "Keep-Alive: timeout=soon\r\n", 60s}}) {
        INFO(std::string(example.announced));
        Pooled pooled;
        pooled.bounds.idle_timeout = example.configured;
        pooled.settle();
        auto loan = pooled.borrow();
        net::Fd far = pooled.app.accept();
        pooled.serve(loan, far, std::string("HTTP/1.1 204 No Content\r\n") + example.announced + "\r\n");
        loan.lease.drop();
        const Time since = pooled.now();
        pooled.pool.sweep(since + example.limit - 1ms);
        CHECK(pooled.pool.idle() == 1);
        pooled.pool.sweep(since + example.limit);
        CHECK(pooled.pool.idle() == 0);
    }
}

TEST_CASE("an idle connection that the app closes leaves the pool by itself") {
    Pooled pooled;
    pooled.fill(2);
    pooled.fars[0] = net::Fd();
    CHECK(pooled.parts.driven.until([&] { return pooled.pool.idle() == 1; }));
    auto loan = pooled.borrow();
    CHECK(far_end_of(pooled, loan) == 1);
}

TEST_CASE("an idle connection on which the app says something is of no use any more") {
    Pooled pooled;
    pooled.fill(1);
    net::send_some(pooled.fars[0], "HTTP/1.1 408 Request Timeout\r\n\r\n");
    CHECK(pooled.parts.driven.until([&] { return pooled.pool.idle() == 0; }));
}

TEST_CASE("a close that the loop has not seen yet is seen by whoever wants a checked connection") {
    for (bool is_checked : {true, false}) {
        Pooled pooled;
        pooled.fill(1);
        pooled.fars[0] = net::Fd();
        RecordingUser user;
        Lease lease = pooled.pool.lease(user, is_checked ? Want::any_checked : Want::any);
        CHECK(lease->reused() == !is_checked);
    }
}

TEST_CASE("a checked connection that is alive is used again") {
    Pooled pooled;
    pooled.fill(1);
    auto loan = pooled.borrow(Want::any_checked);
    CHECK(loan.lease->reused());
}

TEST_CASE("no more than max_idle stay idle for longer than a moment, the oldest go first") {
    Pooled pooled;
    pooled.bounds.max_idle = 1;
    pooled.settle();
    pooled.fill(3);
    const Time since = pooled.now();
    pooled.pool.sweep(since + 999ms);
    CHECK(pooled.pool.idle() == 3);
    pooled.pool.sweep(since + 1s);
    CHECK(pooled.pool.idle() == 1);
    auto loan = pooled.borrow();
    CHECK(far_end_of(pooled, loan) == 2);
}

TEST_CASE("with max_idle 0 no connection is kept") {
    Pooled pooled;
    pooled.bounds.max_idle = 0;
    pooled.settle();
    auto loan = pooled.borrow();
    net::Fd far = pooled.app.accept();
    pooled.serve(loan, far);
    loan.lease.drop();
    CHECK(pooled.pool.idle() == 0);
    CHECK(net::next_at(far) == "end");
}

TEST_CASE("the sweep opens what min_idle asks for, and the first request finds it") {
    Pooled pooled;
    pooled.bounds.min_idle = 2;
    pooled.settle();
    pooled.pool.sweep(pooled.now());
    pooled.pool.sweep(pooled.now());
    REQUIRE(pooled.parts.driven.until([&] { return pooled.pool.idle() == 2; }));
    CHECK(net::accept_one(pooled.app.listening));
    CHECK(net::accept_one(pooled.app.listening));
    CHECK_FALSE(net::accept_one(pooled.app.listening));
    RecordingUser user;
    Lease lease = pooled.pool.lease(user, Want::any);
    CHECK(lease->is_connected());
    CHECK_FALSE(lease->reused());
}

TEST_CASE("while draining nothing is kept and nothing is opened ahead") {
    Pooled pooled;
    auto loan = pooled.borrow();
    net::Fd far = pooled.app.accept();
    pooled.serve(loan, far);
    pooled.kit.draining = true;
    loan.lease.drop();
    CHECK(pooled.pool.idle() == 0);
    pooled.bounds.min_idle = 2;
    pooled.settle();
    pooled.pool.sweep(pooled.now());
    CHECK(pooled.pool.in_use() == 0);
}

TEST_CASE("an app that is not there fails the user of a lease, and is looked up again") {
    Pooled pooled;
    std::vector<std::optional<Endpoint>> look_ups;
    pooled.kit.on_connect_failed = [&](const auto& server) { look_ups.push_back(server); };
    const Endpoint endpoint = pooled.app.endpoint();
    pooled.app.listening = net::Fd();
    RecordingUser user;
    Lease lease = pooled.pool.lease(user, Want::any);
    REQUIRE(pooled.parts.driven.until([&] { return !user.failures.empty(); }));
    CHECK(user.failures[0].reason == http::Reason::upstream_connect);
    CHECK(user.failures[0].retry == Retry::always);
    CHECK(user.failures[0].system_error == ECONNREFUSED);
    CHECK_FALSE(pooled.pool.is_suspect(pooled.now()));
    CHECK(look_ups.empty());
    pooled.pool.note_connect_failed(lease->address_index());
    CHECK(look_ups == std::vector<std::optional<Endpoint>>{endpoint});
    CHECK(pooled.pool.is_suspect(pooled.now()));
    CHECK_FALSE(pooled.pool.is_suspect(pooled.now() + 1s));
}

TEST_CASE("the next of an app's addresses is tried where one fails, and the good one is remembered") {
    Pooled pooled;
    const auto good = *net::SocketAddress::literal(pooled.app.endpoint());
    net::TemporaryFolder folder;
    const auto bad =
        *net::SocketAddress::literal({.host = {}, .port = 0, .path = folder.file("nobody.sock")});
    pooled.pool.set_addresses({bad, good});
    CHECK(pooled.pool.address_count() == 2);
    RecordingUser user;
    Lease first = pooled.pool.lease(user, Want::any);
    CHECK(user.failures.empty());
    REQUIRE(pooled.parts.driven.until([&] { return !user.failures.empty(); }));
    CHECK(user.failures[0].retry == Retry::always);
    pooled.pool.note_connect_failed(first->address_index());
    first.drop();
    CHECK(pooled.pool.is_suspect(pooled.now()));
    auto second = pooled.borrow();
    CHECK(second.lease->address_index() == 1);
    CHECK_FALSE(pooled.pool.is_suspect(pooled.now()));
    auto third = pooled.borrow();
    CHECK(third.lease->address_index() == 1);
}

TEST_CASE("an app whose name is not resolved yet fails the user of a lease") {
    WorkerParts parts;
    UpstreamPool pool(
        parts.kit(),
        {.address = {.host = "app.example", .port = 80, .path = {}}, .berths = std::make_shared<Berths>()},
        parts.kit().metrics->server(0));
    CHECK(pool.name() == "app.example:80");
    RecordingUser user;
    Lease lease = pool.lease(user, Want::any);
    REQUIRE(parts.driven.until([&] { return !user.failures.empty(); }));
    CHECK(user.failures[0].reason == http::Reason::upstream_connect);
    CHECK(user.failures[0].retry == Retry::always);
}

TEST_CASE("an app's addresses in another order are the same ones") {
    Pooled pooled;
    const auto here = *net::SocketAddress::literal(pooled.app.endpoint());
    const auto there = *net::SocketAddress::literal({.host = "192.0.2.7", .port = 80, .path = {}});
    pooled.pool.set_addresses({here, there});
    pooled.fill(1);
    pooled.pool.set_addresses({there, here});
    CHECK(pooled.pool.idle() == 1);
    CHECK(pooled.borrow(Want::fresh).lease->address_index() == 0);
    pooled.pool.set_addresses({there});
    CHECK(pooled.pool.idle() == 0);
}

TEST_CASE("idle connections to where the app was are closed, when it moves alone") {
    Pooled pooled;
    pooled.fill(1);
    const auto here = *net::SocketAddress::literal(pooled.app.endpoint());
    pooled.pool.set_addresses({here});
    CHECK(pooled.pool.idle() == 1);
    App elsewhere;
    pooled.pool.set_addresses({*net::SocketAddress::literal(elsewhere.endpoint())});
    CHECK(pooled.pool.idle() == 0);
    auto loan = pooled.borrow();
    CHECK(net::accept_one(elsewhere.listening));
}

}  // namespace weir::proxy
