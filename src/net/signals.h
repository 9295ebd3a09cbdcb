// Signals as events of a loop, instead of interruptions.
#pragma once

#include <functional>
#include <initializer_list>

#include "net/loop.h"
#include "net/socket.h"

namespace weir::net {

/// Blocks signals for the calling thread and for those it starts from now on.
void block_signals(std::initializer_list<int> signals);

/// Thread: its loop's. The signals must have been blocked before any other thread was started.
class Signals {
  public:
    Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int signal)> on_signal);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

  private:
    static void on_event(evutil_socket_t, short, void* signals) noexcept;

    std::function<void(int)> on_signal_;
    Fd fd_;
    event event_{};
};

}  // namespace weir::net
