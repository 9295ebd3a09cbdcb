#include "policy/fair_queue.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

namespace weir::policy {
namespace {

constexpr FairQueue::Bounds kWide{.entries = 1000, .bytes = 1000};

/// Lets whoever comes next start, and takes it as ended at once.
FairEntry* serve(FairQueue& queue) {
    FairEntry* const next = queue.next(UINT32_MAX);
    if (next == nullptr) return nullptr;
    FairClient& client = *next->client;
    queue.start(*next);
    queue.finish(client);
    return next;
}

TEST_CASE("inside one client it is first come, first served") {
    FairQueue queue;
    std::array<FairEntry, 3> entries;
    for (FairEntry& entry : entries) queue.push(entry, queue.client(1), 1);
    CHECK(serve(queue) == &entries[0]);
    CHECK(serve(queue) == &entries[1]);
    CHECK(serve(queue) == &entries[2]);
    CHECK(serve(queue) == nullptr);
    CHECK(queue.clients().size() == 0);
}

TEST_CASE("clients take turns, however many one of them has waiting") {
    FairQueue queue;
    std::array<FairEntry, 4> many;
    std::array<FairEntry, 2> few;
    for (FairEntry& entry : many) queue.push(entry, queue.client(1), 1);
    for (FairEntry& entry : few) queue.push(entry, queue.client(2), 1);
    std::vector<FairEntry*> order;
    while (FairEntry* served = serve(queue)) order.push_back(served);
    CHECK(order == std::vector{&many[0], &few[0], &many[1], &few[1], &many[2], &many[3]});
}

TEST_CASE("who has fewer in service comes first, and nobody at its own cap") {
    FairQueue queue;
    FairEntry busy, idle;
    queue.start(queue.client(1));
    queue.push(busy, queue.client(1), 1);
    queue.push(idle, queue.client(2), 1);
    CHECK(queue.next(UINT32_MAX) == &idle);
    queue.start(idle);
    CHECK(queue.next(2) == &busy);
    CHECK(queue.next(1) == nullptr);
    queue.finish(queue.client(1));
    CHECK(queue.next(1) == &busy);
}

TEST_CASE("an entry may leave from wherever it stands") {
    for (size_t leaver = 0; leaver < 3; ++leaver) {
        FairQueue queue;
        std::array<FairEntry, 3> entries;
        for (FairEntry& entry : entries) queue.push(entry, queue.client(1), 2);
        queue.remove(entries[leaver]);
        CHECK(queue.size() == 2);
        CHECK(queue.bytes() == 4);
        for (size_t index = 0; index < 3; ++index)
            if (index != leaver) CHECK(serve(queue) == &entries[index]);
        CHECK(queue.size() == 0);
    }
}

TEST_CASE("room costs nothing while there is some, then the newest of who has more, or is not to be had") {
    FairQueue queue;
    std::array<FairEntry, 3> entries;
    for (FairEntry& entry : entries) queue.push(entry, queue.client(1), 10);
    CHECK(queue.price_of_room(queue.client(2), 10, kWide) == 0U);
    CHECK(queue.price_of_room(queue.client(2), 10, {.entries = 3, .bytes = 1000}) == 1U);
    CHECK_FALSE(queue.price_of_room(queue.client(1), 10, {.entries = 3, .bytes = 1000}));
    CHECK(queue.price_of_room(queue.client(2), 15, {.entries = 100, .bytes = 30}) == 2U);
    CHECK_FALSE(queue.price_of_room(queue.client(2), 31, {.entries = 100, .bytes = 30}));
    CHECK(queue.longest() == &queue.client(1));
}

TEST_CASE("how many are ahead follows the order of service") {
    FairQueue queue;
    std::array<FairEntry, 5> many;
    for (FairEntry& entry : many) queue.push(entry, queue.client(1), 1);
    CHECK(queue.ahead_of_next(queue.client(1)) == 5);
    CHECK(queue.ahead_of_next(queue.client(2)) == 1);
}

}  // namespace
}  // namespace weir::policy
