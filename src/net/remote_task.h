// A task that any thread may post.
#pragma once

#include <atomic>
#include <mutex>

#include "net/bell.h"
#include "net/loop.h"

namespace weir::net {

class RemoteTask;

/// Where other threads leave a loop's tasks. Owned by the loop's thread; outlives the tasks.
class RemoteTasks {
  public:
    explicit RemoteTasks(Loop& loop);

  private:
    friend class RemoteTask;
    static void collect(void* tasks);
    void add(RemoteTask&) noexcept;     // any thread
    void remove(RemoteTask&) noexcept;  // the loop's
    void unlink(RemoteTask&) noexcept;  // under the lock

    Loop& loop_;
    std::mutex mutex_;
    RemoteTask* first_ = nullptr;
    RemoteTask* last_ = nullptr;
    Bell bell_;
};

/// Embedded in its owner, as a Task is, and run like one: after a batch of events, on the loop's thread.
/// Posting it twice before it runs is posting it once. It allocates nothing and, posted by the loop's own
/// thread, neither locks nor wakes.
///
/// withdraw() and the destructor belong to the loop's thread, and no post() may be under way or follow: that
/// is for the owner to see to.
class RemoteTask {
  public:
    RemoteTask(RemoteTasks& tasks, Task::Run run, void* owner)
        : tasks_(tasks), task_(tasks.loop_, run, owner) {}
    ~RemoteTask() { withdraw(); }
    RemoteTask(const RemoteTask&) = delete;
    RemoteTask& operator=(const RemoteTask&) = delete;

    void post() noexcept;
    void withdraw() noexcept;

  private:
    friend class RemoteTasks;

    RemoteTasks& tasks_;
    Task task_;  ///< touched by the loop's thread alone
    // Below, under the lock of RemoteTasks.
    RemoteTask* older_ = nullptr;
    RemoteTask* newer_ = nullptr;
    std::atomic<bool> is_left_ = false;  ///< in the list; read without the lock where nobody posts any more
};

}  // namespace weir::net
