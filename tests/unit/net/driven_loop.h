// A loop that a test runs in its own thread for as long as it wants something of it.
#pragma once

#include <functional>
#include <thread>

#include "net/loop.h"

namespace weir::net {

/// Thread: the test's.
class DrivenLoop {
  public:
    /// Far more than anything here takes; a batch with nothing to do takes about a microsecond.
    static constexpr int kMaxBatches = 5'000'000;

    Loop loop;

    /// Runs batch after batch until `holds`; false where it still does not after kMaxBatches.
    [[nodiscard]] bool until(std::function<bool()> holds) { return drive(std::move(holds), kMaxBatches); }
    /// Runs some batches: what would have happened by itself has happened then.
    void settle(int batches = 50) {
        (void)drive([] { return false; }, batches);
    }

  private:
    bool drive(std::function<bool()> holds, int batches) {
        holds_ = std::move(holds);
        batches_left_ = batches;
        held_ = false;
        after_batch_.post();
        loop.run();
        return held_;
    }

    static void on_batch(void* driven) {
        auto& self = *static_cast<DrivenLoop*>(driven);
        self.held_ = self.holds_();
        if (self.held_ || --self.batches_left_ <= 0) return self.loop.stop();
        std::this_thread::yield();
        self.after_batch_.post();
    }

    Task after_batch_{loop, &DrivenLoop::on_batch, this};
    std::function<bool()> holds_;
    int batches_left_ = 0;
    bool held_ = false;
};

}  // namespace weir::net
