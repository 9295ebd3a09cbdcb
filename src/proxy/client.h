// One client connection, whatever protocol it speaks, as its set sees it.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "net/loop.h"
#include "proxy/connection_gate.h"
#include "proxy/entrance.h"

namespace weir::proxy {

/// Whom a connection comes from, and where it came in.
struct Origin {
    GateSeat seat;
    SharedEntrance entrance;
};

/// How long a connection without a request may still begin one on a drain: it was let in, and nothing has
/// told its client to try elsewhere.
inline constexpr Duration kFirstWords = std::chrono::seconds(1);

/// Thread: its worker's. Owned by its ClientSet, which it leaves by itself.
class Client : public net::Retirable {
  public:
    /// Closes it if nothing is under way; otherwise it closes behind the last answer. One that has not asked
    /// yet may do so for kFirstWords.
    virtual void drain() = 0;
    /// Closes it whatever it does.
    virtual void shut() = 0;

    size_t slot = 0;  ///< where the set keeps it
};

}  // namespace weir::proxy
