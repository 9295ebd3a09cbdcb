// How one thread asks another for something: a function that runs on the other's loop.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "net/bell.h"
#include "net/loop.h"

namespace weir::net {

/// Owned by the loop's thread; post() from any. What is posted after the loop has ended is dropped unseen.
class Mailbox {
  public:
    explicit Mailbox(Loop& loop);

    void post(std::function<void()> letter);

  private:
    static void read(void* mailbox);

    std::mutex mutex_;
    std::vector<std::function<void()>> letters_;
    Bell bell_;
};

}  // namespace weir::net
