#include "net/remote_task.h"

namespace weir::net {

RemoteTasks::RemoteTasks(Loop& loop) : loop_(loop), bell_(loop, &RemoteTasks::collect, this) {}

void RemoteTasks::add(RemoteTask& task) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (task.is_left_.exchange(true, std::memory_order_relaxed)) return;
        task.older_ = last_;
        task.newer_ = nullptr;
        (last_ != nullptr ? last_->newer_ : first_) = &task;
        last_ = &task;
        if (first_ != last_) return;  // who left the first one has rung
    }
    bell_.ring();
}

void RemoteTasks::remove(RemoteTask& task) noexcept {
    if (!task.is_left_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    unlink(task);
}

void RemoteTasks::unlink(RemoteTask& task) noexcept {
    (task.older_ != nullptr ? task.older_->newer_ : first_) = task.newer_;
    (task.newer_ != nullptr ? task.newer_->older_ : last_) = task.older_;
    task.is_left_.store(false, std::memory_order_relaxed);
}

void RemoteTasks::collect(void* tasks) {
    auto& self = *static_cast<RemoteTasks*>(tasks);
    const std::lock_guard lock(self.mutex_);
    while (RemoteTask* task = self.first_) {
        self.unlink(*task);
        task->task_.post();
    }
}

void RemoteTask::post() noexcept {
    if (tasks_.loop_.is_own_thread()) return task_.post();
    tasks_.add(*this);
}

void RemoteTask::withdraw() noexcept {
    task_.withdraw();
    tasks_.remove(*this);
}

}  // namespace weir::net
