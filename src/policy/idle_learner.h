// After how long an idle connection is closed by an app that does not say so. Whoever uses one just then sees
// his request fail, so weir wants to be the first to close it.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.h"

namespace weir::policy {

/// One for each server and worker; thread: its worker's. Learns from what happens to idle connections:
///
///   - Three closes after alike times, of the latest kSamples, are the app's habit; the shortest of them is
///     believed. Alike is up to half as long again: gunicorn looks once a second, so that its 2 s are 2 to 3.
///   - All closes within one second are one event, and none at all where they are not alike: an app that
///     restarts closes whatever there is, however long it was idle.
///   - A connection that was used after a much longer time refutes shorter closes: they had other reasons.
///   - Closes of connections that were hardly idle tell nothing: a bound on requests, an error, the app's
///   end.
///
/// Once the limit is known, weir closes first and learns nothing any more. So belief wears off: after each
/// kTrust without a close it goes by twice the time, until the app closes one again, and confirms or corrects
/// it by that one close, or until the time is past kLongest.
class IdleLearner {
  public:
    static constexpr size_t kSamples = 8;
    static constexpr size_t kEnough = 3;
    static constexpr Duration kHardlyIdle = std::chrono::milliseconds(100);
    static constexpr Duration kEvent = std::chrono::seconds(1);
    static constexpr Duration kTrust = std::chrono::minutes(10);
    static constexpr Duration kLongest = std::chrono::minutes(5);

    /// The app closed a connection that had been idle for so long; also where that was noticed by a request
    /// that failed on it. Not: weir closed it, or the app had announced the close in its last answer.
    void closed(Duration idle, Time now);
    /// An answer came on a connection that had been idle for so long.
    void reused(Duration idle);

    /// How long a connection may be idle and still be used: the time that is believed, less a fifth of it (at
    /// most 1 s, for the request is on its way for a while). None: not known.
    [[nodiscard]] std::optional<Duration> limit(Time now);

  private:
    struct Event {
        Time at{};  ///< of the first close
        Duration shortest{};
        Duration longest{};
    };

    void end_event(Time now);
    void learn(Duration idle, Time now);

    std::array<Duration, kSamples> samples_{};  ///< a ring; zero: none
    size_t next_ = 0;
    std::optional<Event> event_;  ///< under way, or over and not looked at yet
    std::optional<Duration> believed_;
    Time confirmed_at_{};
};

}  // namespace weir::policy
