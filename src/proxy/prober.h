// Asks one server of the app again and again whether it is well, and says so where its state changes.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/timing_wheel.h"
#include "config/settings.h"
#include "net/resolver.h"
#include "policy/health_check.h"
#include "proxy/plan.h"
#include "proxy/probe.h"

namespace weir::proxy {

/// What the probers of all servers share. Outlives them; thread: the loop's.
struct ProbeKit {
    net::Loop& loop;
    std::shared_ptr<Plan> plan;
    std::mt19937 random;  ///< for the jitter
    /// A state that is known to the fleet already.
    std::function<void(size_t server, Fleet::Health)> on_change;

    [[nodiscard]] const config::Settings& settings() const { return plan->settings; }
    [[nodiscard]] Fleet& fleet() const { return *plan->fleet; }
};

/// Thread: the loop's. One check at a time, each on a connection of its own, within `health.timeout` in all:
/// an address that cannot be reached leads to the server's next one at once, one that hangs leads to it in
/// the next check, and the one that was reached stays. The pace and the state are policy/health_check.h's.
///
/// A server that has a name is asked once that has been looked up. Destroying it ends what is under way.
class Prober final : public Probe::Owner {
  public:
    Prober(ProbeKit& kit, size_t server);
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;

    /// As the resolver found it; where it found nothing the former addresses still hold.
    void on_resolved(const net::Resolution&);
    /// Requests could not reach a server: a check is due soon.
    void hurry();

  private:
    static void on_timer(void* prober, Time now);
    void begin(Time now);
    void try_address();
    void on_found(Probe::Finding) override;
    void conclude(const Probe::Finding&);
    void tell_change(Fleet::Health before, Duration lasted, std::string_view cause) const;
    void wait_for_next();
    [[nodiscard]] uint32_t random();

    ProbeKit& kit_;
    const size_t server_;
    const std::string name_;
    const Question question_;
    policy::HealthCheck check_;
    Timer timer_;  ///< the end of the check that is under way, or the start of the next
    std::vector<net::SocketAddress> addresses_;
    size_t address_ = 0;  ///< the one to try, modulo their number
    net::SocketAddress tried_;
    size_t untried_ = 0;         ///< addresses that are left to this check
    std::string resolve_error_;  ///< why there are none
    std::unique_ptr<Probe> probe_;
};

}  // namespace weir::proxy
