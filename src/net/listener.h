// Accepts connections and hands each to its owner.
#pragma once

#include <functional>

#include "base/seldom.h"
#include "net/loop.h"
#include "net/socket.h"

namespace weir::net {

/// Thread: its loop's. Takes at most kBatch connections a wake-up, so that a flood of new ones does not
/// starve the old. Out of descriptors, it stops for kPause and tries again: the kernel's queue keeps the
/// clients meanwhile.
class Listener {
  public:
    static constexpr int kBatch = 64;
    static constexpr Duration kPause = std::chrono::milliseconds(100);
    static constexpr Duration kNoticePeriod =
        std::chrono::seconds(10);  ///< between two lines that tell of it

    using OnAccept = std::function<void(Fd, const IpAddress& peer)>;
    /// `socket` stays the caller's: it lives as long as the process, since closing it would reset its queue.
    Listener(Loop& loop, const Fd& socket, OnAccept on_accept);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Takes all that wait in the kernel's queue: the last ones before the socket is closed.
    void accept_waiting();

  private:
    static void on_event(evutil_socket_t, short, void* listener) noexcept;
    static void on_pause_over(void* listener, Time now);
    bool accept_batch();
    void pause();

    Loop& loop_;
    const Fd& socket_;
    OnAccept on_accept_;
    Timer pause_timer_;
    Seldom pause_notice_{kNoticePeriod};
    event event_{};
};

}  // namespace weir::net
