#include "proxy/slots.h"

#include <doctest/doctest.h>

#include "net/driven_loop.h"
#include "proxy/limited_settings.h"

namespace weir::proxy {

namespace {

using std::chrono::milliseconds;
using Answer = Slots::Answer;

constexpr Time kNow = Time(std::chrono::seconds(100));

config::Settings one_slot() {
    config::Settings settings = limited_settings();
    settings.limits.concurrency = 1;
    settings.limits.queue.wait.value = milliseconds(100);
    return settings;
}

/// Requests of one worker before a cap of one slot.
struct Queue {
    struct Request {
        explicit Request(net::RemoteTasks& tasks)
            : slots(
                  tasks, [](void* self) { ++static_cast<Request*>(self)->notes; }, this) {}
        int notes = 0;
        Slots slots;
    };

    [[nodiscard]] const Scope& scope() const { return rules.scope_of(nullptr); }
    [[nodiscard]] size_t in_service() const { return rules.caps()[0]->group->figures().in_service; }

    config::Settings settings = one_slot();
    Rules rules{settings, HashSeed{1, 2}};
    net::DrivenLoop driven;
    net::RemoteTasks tasks{driven.loop};
    Request inside{tasks};
    Request waiting{tasks};
};

}  // namespace

TEST_CASE("a slot that becomes free goes to who waits, who is told so once") {
    Queue queue;
    REQUIRE(queue.inside.slots.ask(queue.scope(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.scope(), {.client = 2}, kNow) == Answer::waiting);
    queue.inside.slots.settle(kNow + milliseconds(10));
    REQUIRE(queue.driven.until([&] { return queue.waiting.notes > 0; }));
    CHECK(queue.waiting.slots.claim(kNow + milliseconds(10)) == Answer::held);
    queue.driven.settle();
    CHECK(queue.waiting.notes == 1);
    queue.waiting.slots.settle(kNow + milliseconds(20));
    CHECK(queue.in_service() == 0);
}

TEST_CASE("who finds its answer when its wait is over is not told of it again") {
    Queue queue;
    REQUIRE(queue.inside.slots.ask(queue.scope(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.scope(), {.client = 2}, kNow) == Answer::waiting);
    queue.inside.slots.settle(kNow + milliseconds(99));  // leaves a note that nobody has read yet
    CHECK(queue.waiting.slots.expire(queue.waiting.slots.until()) == Answer::held);
    queue.driven.settle();
    CHECK(queue.waiting.notes == 0);
    queue.waiting.slots.settle(kNow + milliseconds(200));
    CHECK(queue.in_service() == 0);
}

TEST_CASE("who leaves is not told of a slot that it was about to get, and the slot is free") {
    Queue queue;
    REQUIRE(queue.inside.slots.ask(queue.scope(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.scope(), {.client = 2}, kNow) == Answer::waiting);
    queue.inside.slots.settle(kNow + milliseconds(50));
    queue.waiting.slots.abandon(kNow + milliseconds(50));
    queue.driven.settle();
    CHECK(queue.waiting.notes == 0);
    CHECK(queue.in_service() == 0);
}

TEST_CASE("whose wait is over without an answer is refused") {
    Queue queue;
    REQUIRE(queue.inside.slots.ask(queue.scope(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.scope(), {.client = 2}, kNow) == Answer::waiting);
    CHECK(queue.waiting.slots.expire(queue.waiting.slots.until()) == Answer::refused);
    CHECK(queue.waiting.slots.refusal().with.reason == policy::QueueReason::queue_timeout);
    queue.inside.slots.settle(kNow + milliseconds(200));
    queue.driven.settle();
    CHECK(queue.waiting.notes == 0);
    CHECK(queue.in_service() == 0);
}

}  // namespace weir::proxy
