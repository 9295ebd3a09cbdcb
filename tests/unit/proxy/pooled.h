// A pool of connections for tests, with an app that the test plays.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/upstream_pool.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

/// A pool and its app. A test changes `bounds` before it uses the pool.
class Pooled {
  public:
    struct Loan {
        Lease lease;
        std::unique_ptr<RecordingUser> user = std::make_unique<RecordingUser>();
    };

    /// On a connection that the app has not accepted yet, if it is a new one.
    Loan borrow(UpstreamPool::Want want = UpstreamPool::Want::any) {
        Loan loan;
        loan.lease = pool.lease(*loan.user, want);
        REQUIRE(parts.driven.until([&] { return loan.lease->is_connected(); }));
        return loan;
    }
    /// One request and its answer; leaves the loan as it stands before it is given back.
    void serve(Loan& loan, const net::Fd& far,
               const std::string& answer = "HTTP/1.1 204 No Content\r\n\r\n") {
        loan.user->has_ended = false;
        loan.lease->expect_response_to(http::Method::get);
        std::string request = "GET / HTTP/1.1\r\n\r\n";
        iovec piece{.iov_base = request.data(), .iov_len = request.size()};
        REQUIRE(loan.lease->write({&piece, 1}).bytes == request.size());
        loan.lease->request_sent();
        REQUIRE(net::receive(far) == request);
        net::send_some(far, answer);
        REQUIRE(parts.driven.until([&] { return loan.user->has_ended; }));
    }
    /// Opens `count` connections, uses each once and gives them back, the first one first.
    void fill(size_t count) {
        std::vector<Loan> loans;
        const size_t first = fars.size();
        for (size_t i = 0; i < count; ++i) {
            loans.push_back(borrow());
            fars.push_back(app.accept());
        }
        for (size_t i = 0; i < count; ++i) serve(loans[i], fars[first + i]);
        for (Loan& loan : loans) loan.lease.drop();
        REQUIRE(pool.idle() == count);
    }
    [[nodiscard]] Time now() { return parts.driven.loop.now(); }

    /// Has the pool see what a test has changed in the bounds.
    void settle() { pool.settle(bounds, pool.lead(), kit.metrics->server(0)); }

    WorkerParts parts;
    config::Pool& bounds = parts.settings.upstream.pool;
    Kit& kit = parts.kit();
    App app;
    std::vector<net::Fd> fars;
    std::shared_ptr<Berths> berths = std::make_shared<Berths>();
    UpstreamPool pool{kit, {.address = app.endpoint(), .berths = berths}, kit.metrics->server(0)};
};

}  // namespace weir::proxy
