// How another thread wakes a loop.
#pragma once

#include <event2/event_struct.h>

#include "net/socket.h"

namespace weir::net {

class Loop;

/// Owned by the loop's thread; ring() from any. Rung twice before the loop looks is rung once.
class Bell {
  public:
    using Run = void (*)(void* owner);
    Bell(Loop& loop, Run run, void* owner);
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    void ring() noexcept;

  private:
    static void on_event(evutil_socket_t, short, void* bell) noexcept;

    Fd wake_;
    event event_{};
    Run run_;
    void* owner_;
};

}  // namespace weir::net
