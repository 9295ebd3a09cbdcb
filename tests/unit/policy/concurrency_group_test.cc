#include "policy/concurrency_group.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1000s};
constexpr ClientKey kAnn = 1;
constexpr ClientKey kBob = 2;
constexpr ClientKey kCem = 3;

ConcurrencyLimits limits(uint32_t slots, size_t entries) {
    return {.slots = slots, .queue = {entries, 1 << 20}, .wait = 5s};
}

/// A request as its owner sees it: it claims in its own time, as a worker does when it reads its letters.
struct Request {
    explicit Request(ConcurrencyGroup& owner, ClientKey key) : group(owner), client(key) {}

    Request& ask(Time now = kStart, size_t bytes = 0, Time deadline = kNever) {
        take(group.acquire(place, {.client = client, .bytes = bytes, .deadline = deadline}, now));
        return *this;
    }
    void take(Verdict verdict) {
        waits = std::holds_alternative<Waiting>(verdict);
        if (auto* given = std::get_if<Permit>(&verdict)) permit = std::move(*given);
        if (const auto* refused = std::get_if<Refusal>(&verdict)) refusal = *refused;
        if (const auto* waiting = std::get_if<Waiting>(&verdict)) until = waiting->until;
    }
    void claim() { take(group.claim(place)); }
    [[nodiscard]] bool refused_for(QueueReason reason) const { return refusal && refusal->reason == reason; }

    ConcurrencyGroup& group;
    ClientKey client;
    bool waits = false;
    Permit permit;
    std::optional<Refusal> refusal;
    Time until{};
    int answers = 0;
    Place place{[](void* request) noexcept { ++static_cast<Request*>(request)->answers; }, this};
};

/// The mean that the group knows is `held` from now on.
void teach(ConcurrencyGroup& group, Duration held) {
    for (int64_t i = WaitPredictor::kEnough; i > 0; --i) {
        Request request(group, kAnn);
        request.ask(kStart - i * held).permit.settle(kStart - (i - 1) * held);
    }
    REQUIRE(group.figures().mean_service == held);
}

TEST_CASE("as many as there are slots are admitted at once, and the next waits for the first to end") {
    ConcurrencyGroup group(limits(2, 10));
    Request first(group, kAnn), second(group, kAnn), third(group, kAnn);
    CHECK(first.ask().permit);
    CHECK(second.ask().permit);
    CHECK(third.ask().waits);
    CHECK(third.until == kStart + 5s);
    CHECK(third.answers == 0);
    first.permit.settle(kStart + 1s);
    CHECK(third.answers == 1);
    CHECK(group.figures().in_service == 2);  // handed over in the same call
    third.claim();
    CHECK(third.permit);
    CHECK_FALSE(third.place.is_taken());
}

TEST_CASE("with no queue, what finds no slot is refused") {
    ConcurrencyGroup group(limits(1, 0));
    Request first(group, kAnn), second(group, kBob);
    first.ask();
    CHECK(second.ask().refused_for(QueueReason::queue_full));
    CHECK(second.refusal->retry_after == 0ns);  // nothing is known yet
    CHECK(group.figures().clients == 1);
}

TEST_CASE("a free slot goes to the client with the fewest in service, then round, then the oldest first") {
    ConcurrencyGroup group(limits(3, 10));
    Request a1(group, kAnn), a2(group, kAnn), b1(group, kBob);
    Request a3(group, kAnn), a4(group, kAnn), b2(group, kBob), b3(group, kBob), c1(group, kCem);
    std::vector<Request*> served{&a1.ask(), &a2.ask(), &b1.ask()};
    for (Request* request : {&a3, &a4, &b2, &b3, &c1}) request->ask();
    std::vector<std::pair<Request*, Request*>> ends_and_starts{
        {&a1, &c1},  // Cem has none in service; Ann and Bob one each
        {&b1, &b2},  // Bob has none, Ann and Cem one
        {&c1, &a3},  // Ann and Bob have one each: Bob's turn was later
        {&a2, &b3},  // one each again: now Ann's turn was later
        {&b2, &a4},
    };
    for (auto [ends, starts] : ends_and_starts) {
        ends->permit.settle(kStart);
        REQUIRE(starts->answers == 1);
        starts->claim();
        REQUIRE(starts->permit);
    }
}

TEST_CASE("more than its own cap from one client waits, while others pass") {
    auto capped = limits(4, 10);
    capped.per_client = 1;
    ConcurrencyGroup group(capped);
    Request a1(group, kAnn), a2(group, kAnn), b1(group, kBob);
    CHECK(a1.ask().permit);
    CHECK(a2.ask().waits);
    CHECK(b1.ask().permit);
    b1.permit.settle(kStart);
    CHECK(a2.answers == 0);
    a1.permit.settle(kStart);
    CHECK(a2.answers == 1);
    CHECK(group.figures().peak_waiting == 1);
}

TEST_CASE("a full queue turns away the newest entry of the client with the most, for one with fewer") {
    ConcurrencyGroup group(limits(1, 3));
    Request running(group, kCem), a1(group, kAnn), a2(group, kAnn), a3(group, kAnn), a4(group, kAnn);
    Request b1(group, kBob), b2(group, kBob);
    for (Request* request : {&running, &a1, &a2, &a3}) request->ask();
    CHECK(a4.ask().refused_for(QueueReason::queue_full));
    CHECK(b1.ask().waits);
    CHECK(a3.answers == 1);
    a3.claim();
    CHECK(a3.refused_for(QueueReason::queue_full));
    CHECK(b2.ask().refused_for(QueueReason::queue_full));  // with it, Bob would have as many as Ann
    CHECK(a1.answers + a2.answers + b1.answers == 0);
}

TEST_CASE("a queue full of single requests turns away the newcomer, not one that came first") {
    ConcurrencyGroup group(limits(1, 2));
    Request running(group, kCem), a1(group, kAnn), b1(group, kBob), c1(group, kCem);
    running.ask(), a1.ask(), b1.ask();
    CHECK(c1.ask().refused_for(QueueReason::queue_full));
}

TEST_CASE("bytes are bounded too: as many entries of the longest client go as it takes, or none") {
    auto narrow = limits(1, 10);
    narrow.queue.bytes = 100;
    ConcurrencyGroup group(narrow);
    Request running(group, kCem), a1(group, kAnn), a2(group, kAnn), a3(group, kAnn), b1(group, kBob);
    running.ask();
    a1.ask(kStart, 40), a2.ask(kStart, 30), a3.ask(kStart, 30);
    SUBCASE("two") {
        CHECK(b1.ask(kStart, 60).waits);
        CHECK(a1.answers == 0);
        CHECK(a2.answers + a3.answers == 2);
        CHECK(group.figures().waiting_bytes == 100);
    }
    SUBCASE("all three would be more than Ann has over Bob") {
        CHECK(b1.ask(kStart, 61).refused_for(QueueReason::queue_full));
        CHECK(a1.answers + a2.answers + a3.answers == 0);
    }
    SUBCASE("more than the queue holds at all") {
        CHECK(b1.ask(kStart, 101).refused_for(QueueReason::queue_full));
    }
}

TEST_CASE("one arrival turns away a bounded number") {
    constexpr uint32_t kMost = FairQueue::kMostTurnedAway;
    auto narrow = limits(0, 100);
    narrow.queue.bytes = 50;
    ConcurrencyGroup group(narrow);
    std::vector<std::unique_ptr<Request>> crowd;
    for (int i = 0; i < 50; ++i) crowd.emplace_back(std::make_unique<Request>(group, kAnn))->ask(kStart, 1);
    Request greedy(group, kBob), modest(group, kBob);
    CHECK(greedy.ask(kStart, kMost + 1).refused_for(QueueReason::queue_full));
    CHECK(group.figures().waiting == 50);
    CHECK(modest.ask(kStart, kMost).waits);
    CHECK(group.figures().waiting == 50 - kMost + 1);
}

TEST_CASE("whose predicted wait is beyond its patience is refused at arrival, and told that wait") {
    ConcurrencyGroup group(limits(2, 100));
    teach(group, 1s);
    Request r1(group, kAnn), r2(group, kAnn), w1(group, kAnn), w2(group, kAnn), bob(group, kBob);
    r1.ask(), r2.ask(), w1.ask(), w2.ask();
    SUBCASE("by its deadline") {
        Request late(group, kAnn), able(group, kAnn);
        CHECK(late.ask(kStart, 0, kStart + 1499ms).refused_for(QueueReason::predicted_wait));
        CHECK(late.refusal->retry_after == 1500ms);
        CHECK(able.ask(kStart, 0, kStart + 1500ms).waits);
        CHECK(able.until == kStart + 1500ms);
        CHECK(bob.ask(kStart, 0, kStart + 1s).waits);  // has two of the slots' ends to wait for, not four
    }
    SUBCASE("by the wait of the queue") {
        std::vector<std::unique_ptr<Request>> more;
        for (int i = 0; i < 7; ++i)
            CHECK(more.emplace_back(std::make_unique<Request>(group, kAnn))->ask().waits);
        Request over(group, kAnn), last(group, kAnn);
        CHECK(last.ask().waits);  // the tenth: 5 s exactly
        CHECK(over.ask().refused_for(QueueReason::predicted_wait));
        CHECK(over.refusal->retry_after == 5500ms);
    }
    SUBCASE("not while a slot is free") {
        ConcurrencyGroup idle(limits(1, 100));
        teach(idle, 10s);
        Request hurried(idle, kAnn);
        CHECK(hurried.ask(kStart, 0, kStart + 1ms).permit);
    }
}

TEST_CASE("whose wait is over is refused, at expire or when its turn comes, and never gets a slot") {
    ConcurrencyGroup group(limits(1, 10));
    Request running(group, kAnn), late(group, kBob), next(group, kCem);
    running.ask(), late.ask(), next.ask(kStart + 1s);
    SUBCASE("by expire, not a moment earlier") {
        late.take(group.expire(late.place, late.until - 1ns));
        CHECK(late.waits);
        late.take(group.expire(late.place, late.until));
        CHECK(late.answers == 0);  // its owner has asked and need not be told
    }
    SUBCASE("when its turn comes") {
        running.permit.settle(late.until);
        CHECK(late.answers == 1);
        CHECK(next.answers == 1);
        late.claim();
    }
    CHECK(late.refused_for(QueueReason::queue_timeout));
    CHECK_FALSE(late.place.is_taken());
    CHECK(group.figures().refused_for(QueueReason::queue_timeout) == 1);
}

TEST_CASE("a slot granted just before the wait was over is still given by expire") {
    ConcurrencyGroup group(limits(1, 10));
    Request running(group, kAnn), lucky(group, kBob);
    running.ask(), lucky.ask();
    running.permit.settle(lucky.until - 1ns);
    lucky.take(group.expire(lucky.place, lucky.until));
    CHECK(lucky.permit);
}

TEST_CASE("who leaves frees its place, and what was granted to it goes to the next") {
    ConcurrencyGroup group(limits(1, 2));
    Request running(group, kAnn), quits(group, kBob), next(group, kCem);
    running.ask(), quits.ask(), next.ask();
    SUBCASE("while it waits") {
        group.leave(quits.place, kStart);
        CHECK(group.figures().left == 1);
        Request late(group, kAnn);
        CHECK(late.ask().waits);
        running.permit.settle(kStart);
    }
    SUBCASE("after the grant, before it has heard of it") {
        running.permit.settle(kStart);
        CHECK(next.answers == 0);
        group.leave(quits.place, kStart);
        CHECK(group.figures().abandoned == 1);
    }
    CHECK_FALSE(quits.place.is_taken());
    CHECK(next.answers == 1);
    group.leave(quits.place, kStart);  // once more changes nothing
    CHECK(group.figures().in_service == 1);
}

TEST_CASE("a place that is destroyed leaves") {
    ConcurrencyGroup group(limits(1, 2));
    Request running(group, kAnn), next(group, kCem);
    {
        Request quits(group, kBob);
        running.ask(), quits.ask(), next.ask();
        SUBCASE("while it waits") {}
        SUBCASE("after the grant") { running.permit.settle(kStart); }
    }
    running.permit.settle(kStart);
    CHECK(next.answers == 1);
    CHECK(group.figures().waiting == 0);
}

TEST_CASE("a permit gives its slot back once, whichever way it goes, and only settling teaches") {
    ConcurrencyGroup group(limits(9, 0));
    for (int64_t i = 0; i < WaitPredictor::kEnough; ++i) {
        Request settled(group, kAnn), abandoned(group, kAnn), dropped(group, kAnn), moved(group, kAnn);
        settled.ask(), abandoned.ask(), dropped.ask(), moved.ask();
        settled.permit.settle(kStart + 2s);
        settled.permit.settle(kStart + 3s);
        abandoned.permit.abandon(kStart + 9s);
        abandoned.permit.settle(kStart + 9s);
        moved.permit = std::move(dropped.permit);
        CHECK(group.figures().in_service == 1);
    }
    const auto figures = group.figures();
    CHECK(figures.in_service == 0);
    CHECK(figures.completed == WaitPredictor::kEnough);
    CHECK(figures.abandoned == 3 * WaitPredictor::kEnough);
}

TEST_CASE("new limits keep who is served and who waits") {
    ConcurrencyGroup group(limits(1, 10));
    teach(group, 1s);
    Request r1(group, kAnn), w1(group, kAnn), w2(group, kAnn), w3(group, kAnn);
    r1.ask(), w1.ask(), w2.ask(), w3.ask();
    SUBCASE("more slots are handed over at once") {
        group.set_limits(limits(3, 10), kStart);
        CHECK(w1.answers + w2.answers == 2);
        CHECK(w3.answers == 0);
    }
    SUBCASE("fewer let those in service finish") {
        group.set_limits(limits(2, 10), kStart);
        group.set_limits(limits(1, 10), kStart);
        r1.permit.settle(kStart);
        CHECK(w2.answers == 0);
        w1.claim();
        w1.permit.settle(kStart);
        CHECK(w2.answers == 1);
    }
    SUBCASE("a shorter queue lets those in it stay, and only replaces") {
        group.set_limits(limits(1, 1), kStart);
        Request a(group, kAnn), b(group, kBob);
        CHECK(a.ask().refused_for(QueueReason::queue_full));
        CHECK(b.ask().waits);
        CHECK(w3.answers == 1);
        CHECK(w1.answers + w2.answers == 0);
    }
    SUBCASE("no slots at all hold everybody, without predictions") {
        group.set_limits(limits(0, 10), kStart);
        r1.permit.settle(kStart);
        Request bob(group, kBob);
        CHECK(bob.ask(kStart, 0, kStart + 1ms).waits);
        CHECK(w1.answers == 0);
        group.set_limits(limits(9, 10), kStart);
        CHECK(w1.answers + w2.answers + w3.answers + bob.answers == 4);
    }
}

TEST_CASE("where the cap is no more, all who wait are let in, and who comes later meets the limits") {
    auto capped = limits(1, 10);
    capped.per_client = 1;
    ConcurrencyGroup group(capped);
    Request running(group, kAnn), late(group, kBob), w1(group, kAnn), w2(group, kBob), next(group, kCem);
    running.ask(), late.ask(kStart - 1s), w1.ask(), w2.ask();
    group.let_all_in(late.until);
    for (Request* request : {&late, &w1, &w2}) {
        CHECK(request->answers == 1);
        request->claim();
    }
    CHECK(late.refused_for(QueueReason::queue_timeout));
    CHECK(w1.permit);
    CHECK(w2.permit);
    CHECK(group.figures().in_service == 3);
    CHECK(group.figures().slots == 1);
    CHECK(next.ask(late.until).waits);
    for (Request* request : {&running, &w1}) request->permit.settle(late.until);
    CHECK(next.answers == 0);
    w2.permit.settle(late.until);
    CHECK(next.answers == 1);
}

TEST_CASE("a slot's time counts from when the app was asked, where it could not be reached before") {
    ConcurrencyGroup group(limits(1, 0));
    for (int64_t i = 0; i < WaitPredictor::kEnough; ++i) {
        Request request(group, kAnn);
        request.ask().permit.count_from(kStart + 9s);
        request.permit.settle(kStart + 10s);
    }
    CHECK(group.figures().mean_service == 1s);
}

TEST_CASE("records of clients are there while they have something in the group, and are used again") {
    FairQueue queue;
    for (ClientKey round = 0; round < 3; ++round) {
        for (ClientKey key = 0; key < 1000; ++key) queue.start(queue.client(round * 7919 + key));
        CHECK(queue.clients().size() == 1000);
        for (ClientKey key = 0; key < 1000; ++key) queue.finish(queue.client(round * 7919 + key));
        CHECK(queue.clients().size() == 0);
    }
    CHECK(queue.clients().records() == 1000);
}

}  // namespace
}  // namespace weir::policy
