#include "proxy/abandoned.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <variant>

#include "proxy/pooled.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;

/// A request that was sent, whose client has left; one slot is all there is.
class Left {
  public:
    explicit Left(Duration patience = 1h) {
        pooled.serve(loan, far);  // a connection that could be used again
        loan.lease.drop();
        loan = pooled.borrow();
        std::string request = "GET / HTTP/1.1\r\n\r\n";
        iovec piece{.iov_base = request.data(), .iov_len = request.size()};
        REQUIRE(loan.lease->write({&piece, 1}).bytes == request.size());
        loan.lease->request_sent();
        REQUIRE(net::receive(far) == request);
        REQUIRE(kit.plan().fleet->enter(0));
        auto verdict = group.acquire(place, {.client = 1}, pooled.now());
        Slots::Permits permits;
        permits[0] = std::move(std::get<policy::Permit>(verdict));
        abandoned.keep({.plan = kit.plans.pin(),
                        .leased = {.visit = Visit(kit.plans.pin(), 0), .lease = std::move(loan.lease)},
                        .permits = std::move(permits)},
                       pooled.now() + patience);
    }

    [[nodiscard]] size_t inside() const { return group.figures().in_service; }
    [[nodiscard]] bool until_done() {
        return pooled.parts.driven.until([this] { return abandoned.size() == 0; });
    }
    void check_done() {
        CHECK(inside() == 0);
        CHECK(kit.plan().fleet->in_flight(0) == 0);
        CHECK(pooled.pool.in_use() == 0);
        CHECK(pooled.pool.idle() == 0);  // its answer was not read to the end
        CHECK(pooled.berths->taken() == 0);
        CHECK(group.figures().completed == 1);  // it says how long the app takes
    }

    policy::ConcurrencyGroup group{{.slots = 1, .queue = {}}};
    policy::Place place{[](void*) noexcept {}, nullptr};
    Pooled pooled;
    Kit& kit = pooled.kit;
    Pooled::Loan loan = pooled.borrow();
    net::Fd far = pooled.app.accept();
    Abandoned abandoned{kit};
};

}  // namespace

TEST_CASE("the app is told that nobody listens, and keeps the slot for as long as it is at work") {
    Left left;
    CHECK(net::next_at(left.far) == "end");
    left.pooled.parts.driven.settle();
    CHECK(left.abandoned.size() == 1);
    CHECK(left.inside() == 1);
    CHECK(left.kit.plan().fleet->in_flight(0) == 1);
    CHECK(left.pooled.pool.in_use() == 1);
}

TEST_CASE("the head of an answer says that the app is done") {
    Left left;
    net::send_some(left.far, "HTTP/1.1 103 Early Hints\r\n\r\n");
    left.pooled.parts.driven.settle();
    CHECK(left.inside() == 1);
    net::send_some(left.far, "HTTP/1.1 204 No Content\r\n\r\n");
    REQUIRE(left.until_done());
    left.check_done();
}

TEST_CASE("a head that waits for its body in vain says so, too") {
    Left left;
    net::send_some(left.far, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    REQUIRE(left.until_done());
    left.check_done();
}

TEST_CASE("so does the app's end of the connection") {
    Left left;
    left.far = net::Fd();
    REQUIRE(left.until_done());
    left.check_done();
}

TEST_CASE("so does an answer that is no HTTP") {
    Left left;
    net::send_some(left.far, "what?\r\n\r\n");
    REQUIRE(left.until_done());
    left.check_done();
}

TEST_CASE("an app that never answers keeps the slot until the request's deadline") {
    Left left(50ms);
    left.pooled.parts.driven.settle();
    CHECK(left.inside() == 1);
    REQUIRE(left.until_done());
    left.check_done();
}

TEST_CASE("what is left when the worker ends gives its slot back") {
    policy::ConcurrencyGroup* group = nullptr;
    {
        Left left;
        group = &left.group;
        CHECK(group->figures().in_service == 1);
    }  // its destructor asserts that nothing is in service
}

}  // namespace weir::proxy
