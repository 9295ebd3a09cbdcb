// Requests that wait for an app that cannot be reached: it is restarting, or every server of it is down.
#pragma once

#include <optional>

#include "base/timing_wheel.h"
#include "net/loop.h"
#include "policy/fair_queue.h"
#include "policy/release_pacer.h"

namespace weir::proxy {

struct Kit;

/// A place among those that are held; embedded in its owner, which is called back from the loop. The
/// destructor leaves.
class HeldPlace : private policy::FairEntry {
  public:
    enum class Answer : uint8_t {
        released,     ///< it may try the app, with ticket()
        turned_away,  ///< room was needed for a client with fewer held
    };
    using Answered = void (*)(void* owner, Answer);

    HeldPlace(Answered answered, void* owner) : answered_(answered), owner_(owner) {}
    ~HeldPlace();
    HeldPlace(const HeldPlace&) = delete;
    HeldPlace& operator=(const HeldPlace&) = delete;

    [[nodiscard]] bool is_taken() const { return hold_ != nullptr; }

  private:
    friend class Hold;
    Answered answered_;
    void* owner_;
    class Hold* hold_ = nullptr;
};

/// One for each worker, and its thread's. Who is let go first is the fair queue's order, so that one client
/// with many held delays nobody else; how fast, policy/release_pacer's.
class Hold {
  public:
    explicit Hold(Kit& kit);
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    /// The kit has another plan: whoever is held stays.
    void adopt();

    /// Whether a request may try the app without being let go first.
    [[nodiscard]] bool is_open() const { return pacer_.is_open(); }

    /// No server could take a request: from now on they are held. Where it had been let go: with its ticket.
    void lost(std::optional<policy::ReleasePacer::Ticket>, Time now);
    /// Something tells that the app is back.
    void hurry(Time now);

    /// False: there is no room.
    [[nodiscard]] bool join(HeldPlace&, policy::ClientKey client, size_t bytes);
    void leave(HeldPlace&);

    /// Of a request that is let go, within its callback.
    [[nodiscard]] policy::ReleasePacer::Ticket ticket() { return pacer_.let_go(); }
    void answered(policy::ReleasePacer::Ticket);
    void left(policy::ReleasePacer::Ticket);

    [[nodiscard]] size_t size() const { return queue_.size(); }

  private:
    void pump(Time now);
    void take_out(HeldPlace&);
    void turn_away(policy::FairClient& client, uint32_t count);

    Kit& kit_;
    policy::FairQueue::Bounds bounds_;
    policy::FairQueue queue_;
    policy::ReleasePacer pacer_;
    net::Task pump_task_;
    Timer timer_;
};

}  // namespace weir::proxy
