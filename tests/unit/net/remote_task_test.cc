#include "net/remote_task.h"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "net/driven_loop.h"

namespace weir::net {

namespace {

/// Something on the loop's thread that others post.
struct Owner {
    explicit Owner(RemoteTasks& tasks) : task(tasks, &Owner::run, this) {}
    static void run(void* owner) {
        auto& self = *static_cast<Owner*>(owner);
        ++self.runs;
        self.ran_on = std::this_thread::get_id();
    }

    int runs = 0;
    std::thread::id ran_on;
    RemoteTask task;
};

}  // namespace

TEST_CASE("a task posted by another thread runs on the loop's thread") {
    DrivenLoop driven;
    RemoteTasks tasks(driven.loop);
    Owner owner(tasks);
    std::thread([&] { owner.task.post(); }).join();
    CHECK(owner.runs == 0);
    CHECK(driven.until([&] { return owner.runs == 1; }));
    CHECK(owner.ran_on == std::this_thread::get_id());
}

TEST_CASE("a task posted by the loop's thread runs after the batch, without a lock") {
    DrivenLoop driven;
    RemoteTasks tasks(driven.loop);
    Owner owner(tasks);
    Task poster(
        driven.loop, [](void* other) { static_cast<Owner*>(other)->task.post(); }, &owner);
    poster.post();
    CHECK(driven.until([&] { return owner.runs == 1; }));
}

TEST_CASE("posted twice before it runs, a task runs once, and again when it is posted again") {
    DrivenLoop driven;
    RemoteTasks tasks(driven.loop);
    Owner owner(tasks);
    std::thread([&] {
        owner.task.post();
        owner.task.post();
    }).join();
    driven.settle();
    CHECK(owner.runs == 1);
    std::thread([&] { owner.task.post(); }).join();
    CHECK(driven.until([&] { return owner.runs == 2; }));
}

TEST_CASE("a task that is withdrawn, or gone, does not run, and its neighbours do") {
    DrivenLoop driven;
    RemoteTasks tasks(driven.loop);
    std::deque<Owner> owners;
    for (int each = 0; each < 3; ++each) owners.emplace_back(tasks);
    std::optional<Owner> gone(tasks);
    std::thread([&] {
        owners[0].task.post();
        gone->task.post();
        owners[1].task.post();
        owners[2].task.post();
    }).join();
    gone.reset();
    owners[2].task.withdraw();
    driven.settle();
    CHECK(owners[0].runs == 1);
    CHECK(owners[1].runs == 1);
    CHECK(owners[2].runs == 0);
}

TEST_CASE("a task that was collected and not run yet can still be withdrawn") {
    DrivenLoop driven;
    RemoteTasks tasks(driven.loop);
    Owner first(tasks);
    Owner second(tasks);
    struct Withdraws {
        RemoteTask& other;
        RemoteTask task;
        Withdraws(RemoteTasks& all, RemoteTask& victim)
            : other(victim),
              task(
                  all, [](void* self) { static_cast<Withdraws*>(self)->other.withdraw(); }, this) {}
    } withdraws(tasks, second.task);
    std::thread([&] {
        first.task.post();
        withdraws.task.post();
        second.task.post();
    }).join();
    driven.settle();
    CHECK(first.runs == 1);
    CHECK(second.runs == 0);
}

TEST_CASE("tasks of several threads all run") {
    DrivenLoop driven;
    RemoteTasks tasks(driven.loop);
    std::deque<Owner> owners;
    for (int each = 0; each < 400; ++each) owners.emplace_back(tasks);
    std::vector<std::thread> threads;
    for (size_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (size_t each = thread; each < owners.size(); each += 4) owners[each].task.post();
        });
    }
    const bool all_ran = driven.until([&] {
        for (const Owner& owner : owners)
            if (owner.runs != 1) return false;
        return true;
    });
    for (std::thread& thread : threads) thread.join();
    CHECK(all_ran);
}

}  // namespace weir::net
