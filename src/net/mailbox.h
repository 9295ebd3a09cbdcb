// How one thread asks another for something: a function that runs on the other's loop.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "net/loop.h"
#include "net/socket.h"

namespace weir::net {

/// Owned by the loop's thread; post() from any. What is posted after the loop has ended is dropped unseen.
class Mailbox {
  public:
    explicit Mailbox(Loop& loop);
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    void post(std::function<void()> letter);

  private:
    static void on_event(evutil_socket_t, short, void* mailbox) noexcept;

    Fd wake_;
    event event_{};
    std::mutex mutex_;
    std::vector<std::function<void()>> letters_;
};

}  // namespace weir::net
