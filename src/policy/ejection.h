// Servers that fail requests are left out for a while, told from the requests themselves: a circuit breaker
// for each server (M. Nygard, "Release It!", chapter 5), with a bound on how many may be open.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"

namespace weir::policy {

class Ejections;

/// One try of a request at a server. Tell how it ended by settle(); a try that is dropped without says
/// nothing of the server (the client left), and a probe that is dropped makes way for the next one. Thread:
/// any, one at a time. The Ejections outlive it.
class Attempt {
  public:
    Attempt() = default;
    Attempt(Attempt&& other) noexcept
        : ejections_(std::exchange(other.ejections_, nullptr)),
          server_(other.server_),
          is_probe_(other.is_probe_) {}
    Attempt& operator=(Attempt&& other) noexcept;
    ~Attempt() { drop(); }

    /// `succeeded`: an answer came, whatever its status; what counts as failure is the caller's to say. The
    /// first call counts. True: the server has just been left out, or has come back.
    bool settle(bool succeeded, Time now);
    void drop();

    [[nodiscard]] bool is_probe() const { return is_probe_; }

  private:
    friend class Ejections;
    Attempt(Ejections& ejections, uint32_t server, bool is_probe)
        : ejections_(&ejections), server_(server), is_probe_(is_probe) {}

    Ejections* ejections_ = nullptr;
    uint32_t server_ = 0;
    bool is_probe_ = false;
};

/// All servers of the app, shared by all workers. Any thread: standing(), enter() and a success at a server
/// that nothing speaks against read one atomic; all else takes a lock.
///
///   in       -> ejected   at the `failures`th failure in a row, where the first of them is within `window`
///   ejected  -> probe_due after `eject`, then twice, four times as long, up to `max_eject`
///   probe_due: one request is let in; what it brings decides: back in, or ejected for twice as long
///
/// The time doubles also where a server that came back fails again before it has been in for as long as it
/// was left out. Failures of requests that began before an ejection change nothing.
///
/// Never more than half of the servers are out, those that their health checks found down among them: beyond
/// that a server stays in however it fails, since it is better to be refused by one than by weir. So a single
/// server is never ejected.
class Ejections {
  public:
    Ejections(const config::Passive&, size_t servers);
    Ejections(const Ejections&) = delete;
    Ejections& operator=(const Ejections&) = delete;

    enum class Standing : uint8_t { in, ejected, probe_due };
    [[nodiscard]] Standing standing(size_t server, Time now) const;

    /// A request is about to be sent to the server. None: it is ejected, or another request is the probe.
    [[nodiscard]] std::optional<Attempt> enter(size_t server, Time now);

    /// What active checks say, for the bound alone: a server that is down is out already. Where too many are
    /// out then, ejected ones come back, the one that is due first.
    void set_down(size_t server, bool is_down, Time now);

    /// Until when the server is left out; nothing where it is in, kNever while it is being probed.
    [[nodiscard]] std::optional<Time> ejected_until(size_t server) const;

  private:
    friend class Attempt;

    struct Server {
        /// Where it stands, in one word: kClean, kFailing (some in a row, too few yet), the time until which
        /// it is ejected, or kProbing.
        std::atomic<int64_t> state{kClean};

        // Under the lock.
        bool is_down = false;
        std::vector<Time> failures;  ///< a ring of as many as it takes: those in a row
        size_t in_row = 0;
        Duration length{};  ///< of the latest ejection; zero: there was none
        Time back_at{};     ///< when it came in again after that
    };
    static constexpr int64_t kClean = INT64_MIN;
    static constexpr int64_t kFailing = INT64_MIN + 1;
    static constexpr int64_t kDue = INT64_MIN + 2;  ///< the time of one whose probe was dropped
    static constexpr int64_t kProbing = INT64_MAX;

    [[nodiscard]] static bool is_in(int64_t state) { return state == kClean || state == kFailing; }

    // Under the lock.
    bool note_success(Server&);
    bool note_failure(Server&, Time now);
    bool settle_probe(Server&, bool succeeded, Time now);
    void eject(Server&, Time now, bool again);
    void admit(Server&, Time now);
    [[nodiscard]] static bool is_out(const Server&);
    [[nodiscard]] bool has_room_for(const Server&) const;

    bool settle(size_t server, bool is_probe, bool succeeded, Time now);
    void release_probe(size_t server);

    const config::Passive bounds_;
    std::mutex mutex_;
    std::vector<Server> servers_;  ///< as many from beginning to end
};

}  // namespace weir::policy
