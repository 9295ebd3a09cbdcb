#include "proxy/slots.h"

#include <doctest/doctest.h>

#include <utility>

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

namespace {

/// A route with one slot, and the global cap in shadow with room for two.
config::Settings in_shadow(config::Mode of_route) {
    config::Settings settings = one_slot();
    settings.limits.mode.value = config::Mode::shadow;
    settings.limits.concurrency = 2;
    settings.limits.queue.size.value = 0;
    config::RouteLimits& limits = settings.routes[0].limits;
    limits.mode.value = of_route;
    limits.concurrency = 1;
    limits.queue.size.value = of_route == config::Mode::shadow ? 0 : 10;
    limits.queue.wait.value = milliseconds(100);
    return settings;
}

/// Two requests, to begin with, under the rules of some settings.
struct Ruled {
    explicit Ruled(config::Settings under) : settings(std::move(under)) {}

    [[nodiscard]] const Scope& everywhere() const { return rules.scope_of(nullptr); }
    [[nodiscard]] const Scope& reports() const { return *rules.scope_named("reports"); }

    config::Settings settings;
    Rules rules{settings, HashSeed{1, 2}};
    net::DrivenLoop driven;
    net::RemoteTasks tasks{driven.loop};
    Queue::Request inside{tasks};
    Queue::Request waiting{tasks};
};

struct Shadowed : Ruled {
    explicit Shadowed(config::Mode of_route) : Ruled(in_shadow(of_route)) {}

    [[nodiscard]] size_t seats() const { return everywhere().shadow_caps[0].gate->shadow->inside(); }

    Queue::Request third{tasks};
    Queue::Request fourth{tasks};
};

}  // namespace

TEST_CASE("who waits for its route's slot takes up nothing of a cap in shadow behind it") {
    Shadowed queue(config::Mode::enforce);
    REQUIRE(queue.inside.slots.ask(queue.reports(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.reports(), {.client = 2}, kNow) == Answer::waiting);
    CHECK(queue.seats() == 1);
    REQUIRE(queue.third.slots.ask(queue.everywhere(), {.client = 3}, kNow) == Answer::held);
    CHECK_FALSE(queue.third.slots.would_refuse(0));
    CHECK(queue.seats() == 2);
    queue.inside.slots.settle(kNow + milliseconds(10));
    CHECK(queue.waiting.slots.claim(kNow + milliseconds(10)) == Answer::held);
    CHECK_FALSE(queue.waiting.slots.would_refuse(0));
    CHECK(queue.seats() == 2);
    queue.waiting.slots.settle(kNow + milliseconds(20));
    queue.third.slots.abandon(kNow + milliseconds(20));
    CHECK(queue.seats() == 0);
}

TEST_CASE("who comes to a cap in shadow after a wait is told what it would have said then") {
    Shadowed queue(config::Mode::enforce);
    REQUIRE(queue.inside.slots.ask(queue.reports(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.reports(), {.client = 2}, kNow) == Answer::waiting);
    REQUIRE(queue.third.slots.ask(queue.everywhere(), {.client = 3}, kNow) == Answer::held);
    queue.inside.slots.settle(kNow + milliseconds(10));
    REQUIRE(queue.fourth.slots.ask(queue.everywhere(), {.client = 4}, kNow) == Answer::held);
    CHECK(queue.waiting.slots.claim(kNow + milliseconds(10)) == Answer::held);
    CHECK(queue.waiting.slots.would_refuse(0));
}

TEST_CASE("whom one cap in shadow would have refused gives up its room in those before") {
    Shadowed queue(config::Mode::shadow);
    REQUIRE(queue.inside.slots.ask(queue.everywhere(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.everywhere(), {.client = 2}, kNow) == Answer::held);
    REQUIRE(queue.third.slots.ask(queue.reports(), {.client = 3}, kNow) == Answer::held);
    CHECK_FALSE(queue.third.slots.would_refuse(0));
    CHECK(queue.third.slots.would_refuse(1));
    CHECK(queue.reports().shadow_caps[0].gate->shadow->inside() == 0);
}

TEST_CASE("whom one cap in shadow would have refused takes up nothing of the next") {
    Shadowed queue(config::Mode::shadow);
    REQUIRE(queue.inside.slots.ask(queue.reports(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.reports(), {.client = 2}, kNow) == Answer::held);
    CHECK(queue.waiting.slots.would_refuse(0));
    CHECK_FALSE(queue.waiting.slots.would_refuse(1));
    CHECK(queue.seats() == 1);
    SUBCASE("of a route") {
        REQUIRE(queue.third.slots.ask(queue.everywhere(), {.client = 3}, kNow) == Answer::held);
        CHECK_FALSE(queue.third.slots.would_refuse(0));
    }
    SUBCASE("whom the rates would have refused, of any") {
        queue.third.slots.pass_shadow();
        REQUIRE(queue.third.slots.ask(queue.everywhere(), {.client = 3}, kNow) == Answer::held);
        CHECK_FALSE(queue.third.slots.would_refuse(0));
        CHECK(queue.seats() == 1);
    }
}

TEST_CASE("a cap that is lifted lets in who waits for it; one that may have a new name does not") {
    config::Settings settings = in_shadow(config::Mode::enforce);
    Rules before(settings, HashSeed{1, 2});
    net::DrivenLoop driven;
    net::RemoteTasks tasks(driven.loop);
    Queue::Request inside(tasks);
    Queue::Request waiting(tasks);
    const Scope& scope = *before.scope_named("reports");
    REQUIRE(inside.slots.ask(scope, {.client = 1}, kNow) == Answer::held);
    REQUIRE(waiting.slots.ask(scope, {.client = 2}, kNow) == Answer::waiting);
    config::Settings changed = settings;
    config::RouteLimits& after = changed.routes[0].limits;
    bool is_lifted = true;
    SUBCASE("it is gone") { after.concurrency.reset(); }
    SUBCASE("it is off") { after.mode.value = config::Mode::off; }
    SUBCASE("it is in shadow") { after.mode.value = config::Mode::shadow; }
    SUBCASE("it stays") { is_lifted = false; }
    SUBCASE("its route has another name") {
        changed.routes[0].name = "renamed";
        is_lifted = false;
    }
    Rules(changed, HashSeed{1, 2}, &before).take_effect(kNow);
    driven.settle();
    CHECK(waiting.notes == (is_lifted ? 1 : 0));
    if (is_lifted) CHECK(waiting.slots.claim(kNow) == Answer::held);
}

TEST_CASE("one may wait as long as the cap says, and no longer than the request may take") {
    Queue queue;
    REQUIRE(queue.inside.slots.ask(queue.scope(), {.client = 1}, kNow) == Answer::held);
    const policy::Arrival hurried{.client = 2, .deadline = kNow + milliseconds(60)};
    SUBCASE("the cap") {
        REQUIRE(queue.waiting.slots.ask(queue.scope(), {.client = 2}, kNow) == Answer::waiting);
        CHECK(queue.waiting.slots.until() == kNow + milliseconds(100));
    }
    SUBCASE("the request") {
        REQUIRE(queue.waiting.slots.ask(queue.scope(), hurried, kNow) == Answer::waiting);
        CHECK(queue.waiting.slots.until() == kNow + milliseconds(60));
    }
}

namespace {

/// The global cap has one slot and a queue, the one of a route in front of it two slots.
config::Settings two_caps(size_t places) {
    config::Settings settings = one_slot();
    settings.limits.queue.size.value = places;
    config::RouteLimits& limits = settings.routes[0].limits;
    limits.queue.size.value = 10;
    limits.queue.wait.value = milliseconds(100);
    return settings;
}

struct TwoCaps : Ruled {
    explicit TwoCaps(size_t places) : Ruled(two_caps(places)) {}

    [[nodiscard]] policy::ConcurrencyFigures of_route() const {
        return reports().caps[0].gate->group->figures();
    }
    [[nodiscard]] policy::ConcurrencyFigures of_all() const {
        return reports().caps[1].gate->group->figures();
    }
};

}  // namespace

TEST_CASE("who has its route's slot keeps it while it waits for the global one") {
    TwoCaps queue(10);
    REQUIRE(queue.inside.slots.ask(queue.everywhere(), {.client = 1}, kNow) == Answer::held);
    REQUIRE(queue.waiting.slots.ask(queue.reports(), {.client = 2}, kNow) == Answer::waiting);
    CHECK(queue.of_route().in_service == 1);
    SUBCASE("and gets both") {
        queue.inside.slots.settle(kNow + milliseconds(10));
        CHECK(queue.waiting.slots.claim(kNow + milliseconds(10)) == Answer::held);
        CHECK(queue.of_all().in_service == 1);
        queue.waiting.slots.settle(kNow + milliseconds(20));
        CHECK(queue.of_route().completed == 1);
    }
    SUBCASE("or none") {
        CHECK(queue.waiting.slots.expire(queue.waiting.slots.until()) == Answer::refused);
        CHECK(queue.waiting.slots.refusal().by == queue.reports().caps[1].gate);
        CHECK(queue.of_all().in_service == 1);
    }
    SUBCASE("or leaves") {
        queue.waiting.slots.abandon(kNow);
        CHECK(queue.of_all().waiting == 0);
    }
    CHECK(queue.of_route().in_service == 0);
}

TEST_CASE("who is refused by the global cap has given its route's slot back") {
    TwoCaps queue(0);
    REQUIRE(queue.inside.slots.ask(queue.everywhere(), {.client = 1}, kNow) == Answer::held);
    CHECK(queue.waiting.slots.ask(queue.reports(), {.client = 2}, kNow) == Answer::refused);
    CHECK(queue.waiting.slots.refusal().by == queue.reports().caps[1].gate);
    CHECK(queue.of_route().in_service == 0);
    CHECK(queue.of_route().abandoned == 1);
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
