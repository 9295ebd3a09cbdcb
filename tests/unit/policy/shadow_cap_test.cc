#include "policy/shadow_cap.h"

#include <doctest/doctest.h>

#include <optional>
#include <thread>
#include <vector>

namespace weir::policy {

TEST_CASE("whoever finds the room taken would have been refused, and takes up none") {
    ShadowCap cap(2);
    auto first = cap.enter();
    std::optional second(cap.enter());
    CHECK(first);
    CHECK(*second);
    CHECK_FALSE(cap.enter());
    CHECK_FALSE(cap.enter());
    CHECK(cap.inside() == 2);
    second.reset();
    CHECK(cap.inside() == 1);
    CHECK(cap.enter());
}

TEST_CASE("a seat that was moved is left once") {
    ShadowCap cap(1);
    {
        auto seat = cap.enter();
        ShadowCap::Seat moved(std::move(seat));
        ShadowCap::Seat assigned;
        assigned = std::move(moved);
        CHECK(cap.inside() == 1);
    }
    CHECK(cap.inside() == 0);
}

TEST_CASE("threads that come and go at once never hold more seats than there are") {
    ShadowCap cap(3);
    std::vector<std::thread> threads;
    std::atomic<size_t> held{0};
    std::atomic<bool> too_many{false};
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (int each = 0; each < 10'000; ++each) {
                auto seat = cap.enter();
                if (!seat) continue;
                if (held.fetch_add(1) >= 3) too_many = true;
                held.fetch_sub(1);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK_FALSE(too_many);
    CHECK(cap.inside() == 0);
}

}  // namespace weir::policy
