// Is a server well? What its active checks have shown so far, and when the next one is due. Pure: results,
// times and random numbers in, a state out; who connects, sends and reads is the caller's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "config/settings.h"

namespace weir::policy {

/// How one check ended.
enum class CheckResult : uint8_t {
    passed,
    no_connection,  ///< refused, unreachable, or its name cannot be resolved
    timed_out,      ///< at any point before the answer was complete
    broken,         ///< closed early, or no sound HTTP
    wrong_status,
    wrong_body,
};
inline constexpr size_t kCheckResults = 6;
static_assert(static_cast<size_t>(CheckResult::wrong_body) + 1 == kCheckResults);

/// A word of [a-z_], for logs and as the value of a label.
[[nodiscard]] std::string_view name_of(CheckResult);

/// Of an answer that came: its final status, and as much of its body as was read (of one that is longer than
/// the caller reads, the beginning). Text is searched byte by byte.
[[nodiscard]] CheckResult judge(const config::Expect&, unsigned status, std::string_view body);

/// The checks of one server. Thread: its owner's; one check at a time.
///
/// A server begins as `unknown`: not known to be well, so that nobody else is told that weir is ready, but
/// tried by requests, since nothing speaks against it. The first check that passes makes it `up`; it takes
/// `fall` that fail in a row to make it `down`, at first as later: one slow answer of an app that warms up
/// must not shut it out. From `down` it takes `rise` in a row.
///
/// The pace, all with 10 % of jitter either way so that many proxies do not ask in step:
///   - `interval` while a state holds;
///   - a fifth of it (not below kQuickest, not above `interval`) while the answer is open: `unknown`, or up
///     and failing, or down and passing;
///   - when it has gone down: a fifth, then twice as long each time up to `interval`. A restart is noticed
///     while requests still wait for it, and an app that stays away is not asked more often than one that is
///     well.
/// Times count from the start of a check to the start of the next, and kQuickest lies between the end of one
/// and the start of the next.
class HealthCheck {
  public:
    static constexpr Duration kQuickest = std::chrono::milliseconds(250);

    enum class State : uint8_t { unknown, up, down };

    /// The first check is due at once. `known`: what is known already.
    HealthCheck(const config::Health&, Time now, State known = State::unknown);

    /// When to begin the next check; kNever while one is under way.
    [[nodiscard]] Time next() const { return next_; }
    /// Something else speaks against the state (an ejection, refused connections, or a connection after many
    /// refused): the next check is due soon, however long the interval is.
    void hurry(Time now);

    /// A check is under way, until one of the other two is called.
    void begin(Time now);
    /// `random`: any value, evenly distributed. True: the state has changed.
    [[nodiscard]] bool conclude(CheckResult, Time now, uint32_t random);
    /// It said nothing of the server: weir had no descriptor, or was told to stop.
    void abandon(Time now, uint32_t random);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] Time since() const { return since_; }  ///< of the state
    /// The cause of the state, or of doubts about it. None before the first check.
    [[nodiscard]] std::optional<CheckResult> last() const { return last_; }

  private:
    [[nodiscard]] bool is_under_way() const { return next_ == kNever; }
    [[nodiscard]] Duration gap() const;
    void schedule(Time now, uint32_t random);
    bool enter(State, Time now);

    Duration interval_;
    Duration quick_;
    unsigned rise_;
    unsigned fall_;
    State state_ = State::unknown;
    Time since_;
    Time begun_;
    Time earliest_;
    Time next_;
    unsigned against_ = 0;  ///< results in a row that speak against the state
    unsigned missed_ = 0;   ///< results that confirmed the state, as far as they count
    std::optional<CheckResult> last_;
};

}  // namespace weir::policy
