#include "net/loop.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "net/driven_loop.h"
#include "net/mailbox.h"

namespace weir::net {

namespace {

using namespace std::chrono_literals;

/// A task that does what it is told.
struct Errand {
    Errand(Loop& loop, std::function<void()> what)
        : run(std::move(what)), task(loop, &Errand::on_task, this) {}
    static void on_task(void* errand) { static_cast<Errand*>(errand)->run(); }

    std::function<void()> run;
    Task task;
};

struct Condemned final : Retirable {
    explicit Condemned(bool& is_dead_) : is_dead(is_dead_) {}
    ~Condemned() override { is_dead = true; }
    bool& is_dead;
};

}  // namespace

TEST_CASE("tasks run in the order in which they were posted") {
    DrivenLoop driven;
    std::string ran;
    Errand a(driven.loop, [&] { ran += 'a'; });
    Errand b(driven.loop, [&] { ran += 'b'; });
    b.task.post();
    a.task.post();
    CHECK(ran.empty());
    driven.settle();
    CHECK(ran == "ba");
}

TEST_CASE("a task posted twice runs once, and can be posted again when it has run") {
    DrivenLoop driven;
    int runs = 0;
    Errand errand(driven.loop, [&] { ++runs; });
    errand.task.post();
    errand.task.post();
    CHECK(errand.task.posted());
    driven.settle();
    CHECK(runs == 1);
    CHECK_FALSE(errand.task.posted());
    errand.task.post();
    driven.settle();
    CHECK(runs == 2);
}

TEST_CASE("a task posted by a task runs behind the next batch of events") {
    DrivenLoop driven;
    std::string ran;
    Mailbox mailbox(driven.loop);
    Errand second(driven.loop, [&] { ran += "task "; });
    Errand first(driven.loop, [&] {
        second.task.post();
        mailbox.post([&] { ran += "event "; });
    });
    first.task.post();
    driven.settle();
    CHECK(ran == "event task ");
}

TEST_CASE("a task that posts itself does not keep the loop from its events") {
    DrivenLoop driven;
    Mailbox mailbox(driven.loop);
    bool came = false;
    Errand busy(driven.loop, [&] { busy.task.post(); });
    busy.task.post();
    mailbox.post([&] { came = true; });
    CHECK(driven.until([&] { return came; }));
}

TEST_CASE("a task can be withdrawn by one that runs before it") {
    DrivenLoop driven;
    bool ran = false;
    Errand victim(driven.loop, [&] { ran = true; });
    Errand first(driven.loop, [&] { victim.task.withdraw(); });
    first.task.post();
    victim.task.post();
    driven.settle();
    CHECK_FALSE(ran);
    CHECK_FALSE(victim.task.posted());
}

TEST_CASE("a task withdrawn by itself while it runs, or not posted at all, is left alone") {
    DrivenLoop driven;
    int runs = 0;
    Errand errand(driven.loop, [&] {
        ++runs;
        errand.task.withdraw();
    });
    errand.task.withdraw();
    errand.task.post();
    driven.settle();
    CHECK(runs == 1);
}

TEST_CASE("a task that is destroyed does not run, in its own batch either") {
    DrivenLoop driven;
    bool ran = false;
    auto victim = std::make_unique<Errand>(driven.loop, [&] { ran = true; });
    Errand first(driven.loop, [&] { victim.reset(); });
    int later_runs = 0;
    Errand later(driven.loop, [&] { ++later_runs; });
    first.task.post();
    victim->task.post();
    later.task.post();
    driven.settle();
    CHECK_FALSE(ran);
    CHECK(later_runs == 1);
}

TEST_CASE("what is retired lives until the batch is over") {
    DrivenLoop driven;
    bool is_dead = false;
    bool was_dead_in_its_batch = false;
    Errand later(driven.loop, [&] { was_dead_in_its_batch = is_dead; });
    Errand first(driven.loop, [&] { driven.loop.retire(std::make_unique<Condemned>(is_dead)); });
    first.task.post();
    later.task.post();
    CHECK(driven.until([&] { return is_dead; }));
    CHECK_FALSE(was_dead_in_its_batch);
}

TEST_CASE("what is retired outside of the loop dies with it at the latest") {
    bool is_dead = false;
    {
        Loop loop;
        loop.retire(std::make_unique<Condemned>(is_dead));
        CHECK_FALSE(is_dead);
    }
    CHECK(is_dead);
}

TEST_CASE("an armed timer fires, at its deadline or later") {
    DrivenLoop driven;
    Time fired_at{};
    auto on_fired = [](void* at, Time now) { *static_cast<Time*>(at) = now; };
    Timer timer(driven.loop.timers(), on_fired, &fired_at);
    const Time deadline = driven.loop.now() + 30ms;
    timer.arm(deadline);
    CHECK(driven.until([&] { return fired_at != Time{}; }));
    CHECK(fired_at >= deadline);
    CHECK(timer.deadline() == kNever);
}

TEST_CASE("the loop ticks while something is armed") {
    DrivenLoop driven;
    int ticks = 0;
    driven.loop.set_on_tick([](void* count) { ++*static_cast<int*>(count); }, &ticks);
    auto never_fires = [](void*, Time) {};
    Timer timer(driven.loop.timers(), never_fires, nullptr);
    const Time start = driven.loop.now();
    timer.arm(start + 1h);
    CHECK(driven.until([&] { return ticks == 3; }));
    CHECK(driven.loop.now() - start >= 2 * TimingWheel::kTick);
}

TEST_CASE("the time stands still within a batch and moves on from one to the next") {
    DrivenLoop driven;
    const Time before = driven.loop.now();
    bool stood_still = false;
    Errand errand(driven.loop, [&] {
        const Time first = driven.loop.now();
        while (monotonic_now() == first) {
        }
        stood_still = driven.loop.now() == first;
    });
    errand.task.post();
    driven.settle();
    CHECK(stood_still);
    CHECK(driven.until([&] { return driven.loop.now() > before; }));
}

TEST_CASE("the calendar's time is the system's") {
    DrivenLoop driven;
    driven.settle(1);
    const Duration difference = wall_now() - driven.loop.calendar_time();
    CHECK(difference > -1s);
    CHECK(difference < 1s);
}

TEST_CASE("a stopped loop comes back after the batch that stopped it") {
    Loop loop;
    std::string ran;
    Errand second(loop, [&] { ran += "second "; });
    Errand first(loop, [&] {
        ran += "first ";
        loop.stop();
    });
    first.task.post();
    second.task.post();
    loop.run();
    CHECK(ran == "first second ");
}

}  // namespace weir::net
