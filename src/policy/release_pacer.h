// How requests that are held for an app that restarts are let go: one to see whether it is back, then more as
// answers come, so that what has gathered does not fall upon an app that has just begun.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace weir::policy {

/// One for each place where requests are held (a worker); thread: its worker's. It counts, the caller holds
/// the requests and lets the oldest go.
///
///   open     nothing is held: every request goes, and none is counted
///   closed   the app cannot be reached: one request at a time tries it, after kFirstPause, then twice as
///            long each time up to kLongestPause; what fails to connect was never sent and is held again,
///            whatever its method
///   opening  it answered: one more than there have been answers may be inside it at once, so that their
///            number doubles with each round, as in the slow start of TCP (RFC 5681, 3.1); open again once
///            nothing is held any more
class ReleasePacer {
  public:
    static constexpr Duration kFirstPause = std::chrono::milliseconds(100);
    static constexpr Duration kLongestPause = std::chrono::seconds(1);

    /// Of one request that was let go. What became of it counts only until the app is lost or wholly back.
    using Ticket = uint64_t;

    [[nodiscard]] bool is_open() const { return state_ == State::open; }

    /// No server can take a request: from now on they are held.
    void close(Time now);
    /// Something else tells that the app is back (a check passed): the next try is due at once.
    void hurry(Time now);

    /// When the next held request may go: at that time or, where it has passed, at once. kNever: not before
    /// something becomes of those that run.
    [[nodiscard]] Time next() const;

    /// One is let go. Ends with one of the three below.
    [[nodiscard]] Ticket let_go();
    /// An answer came. `held`: how many are left.
    void answered(Ticket, uint64_t held);
    /// It could not be sent to any server. All is closed again, also where the app counted as back meanwhile.
    void failed(Ticket, Time now);
    /// Its client left before either.
    void left(Ticket);

    /// Nothing is held any more, since all of them were given up: new requests go as ever, and close it again
    /// if they must.
    void open();

  private:
    enum class State : uint8_t { open, closed, opening };

    void enter(State);

    State state_ = State::open;
    Ticket era_ = 0;  ///< since the app was lost or wholly back
    Time next_try_{};
    Duration pause_{};
    uint64_t running_ = 0;  ///< of this era
    uint64_t room_ = 1;
};

}  // namespace weir::policy
