// What one exchange holds of the caps on concurrency: its slots, or a place in the queue before one of them.
#pragma once

#include <array>
#include <bitset>
#include <optional>

#include "net/remote_task.h"
#include "policy/concurrency_group.h"
#include "policy/shadow_cap.h"
#include "proxy/rules.h"

namespace weir::proxy {

/// Asks the caps of a scope one after the other, the route's own before the global one, so that a request
/// which waits for its route's slot keeps no global one from others. Those in shadow are asked in that order
/// too, each as the request comes to it: what still waits in front of it, or would have been refused before,
/// takes up none of its room. Thread: its worker's. Pinned: the queue points at it. The rules outlive it.
class Slots {
  public:
    enum class Answer : uint8_t {
        held,     ///< all of them: the app may be asked
        waiting,  ///< until claim() or expire() says otherwise
        refused,  ///< see refusal(); nothing is held
    };
    /// Who refused, and what it said.
    struct Refused {
        const ConcurrencyGate* by = nullptr;
        policy::Refusal with;
    };
    /// What is held of the enforced caps, to be handed to who outlives the exchange.
    using Permits = std::array<policy::Permit, Scope::kMostCaps>;

    /// `answered` is run on the worker's loop, after a batch, where claim() has an answer.
    Slots(net::RemoteTasks& tasks, net::Task::Run answered, void* owner)
        : note_(tasks, answered, owner), place_(&Slots::leave_note, this) {}
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    /// Before ask(): rates in shadow would have refused the request, so it would not have come to the caps.
    void pass_shadow() { is_past_shadow_ = true; }
    /// Once. `arrival.deadline` is the request's own; each cap shortens it by how long it lets wait.
    [[nodiscard]] Answer ask(const Scope& scope, const policy::Arrival& arrival, Time now);
    [[nodiscard]] Answer claim(Time now);
    [[nodiscard]] Answer expire(Time now);  ///< at until()

    /// The app could not be reached so far: what its slots are held for is counted from now on.
    void count_from(Time now);
    /// The app has done what was asked of it, or has held on to it until now.
    void settle(Time now);
    /// Nobody asks for it any more, or the app could not be asked; also ends a wait.
    void abandon(Time now);
    [[nodiscard]] Permits hand_over() { return std::move(permits_); }

    [[nodiscard]] Time until() const { return until_; }
    [[nodiscard]] const Refused& refusal() const { return refused_; }
    /// Whether `shadow_caps[index]` of the scope would have refused.
    [[nodiscard]] bool would_refuse(size_t index) const { return shadow_refusals_[index]; }

  private:
    static void leave_note(void* slots) noexcept { static_cast<Slots*>(slots)->note_.post(); }
    void sit_in_shadow();
    [[nodiscard]] policy::Verdict ask_next(Time now);
    [[nodiscard]] Answer follow(policy::Verdict, Time now);

    const Scope* scope_ = nullptr;
    policy::Arrival arrival_;
    size_t held_ = 0;              ///< of the caps, from the first one on
    size_t shadowed_ = 0;          ///< of the caps in shadow: those that it has come to
    bool is_past_shadow_ = false;  ///< it would have been refused: no cap in shadow is asked any more
    Time until_{};
    Refused refused_;
    std::bitset<Scope::kMostCaps> shadow_refusals_;
    std::array<policy::ShadowCap::Seat, Scope::kMostCaps> seats_;
    Permits permits_;
    net::RemoteTask note_;
    policy::Place place_;
};

}  // namespace weir::proxy
