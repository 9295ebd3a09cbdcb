// One try of a request at one server, as the fleet counts it.
#pragma once

#include <utility>

#include "proxy/plans.h"

namespace weir::proxy {

/// From the choice of a server to the end of the lease: counts as in flight there, and says how it went where
/// that says something of the server. Thread: any, one at a time. The fleet outlives it.
class Visit {
  public:
    Visit() = default;
    /// Of one whom the plan's fleet has let enter.
    Visit(PlanPin plan, size_t server) : plan_(std::move(plan)), server_(server) {}
    Visit(Visit&& other) noexcept
        : plan_(std::move(other.plan_)), server_(other.server_), attempt_(std::move(other.attempt_)) {}
    Visit& operator=(Visit&& other) noexcept {
        Visit moved(std::move(other));
        std::swap(plan_, moved.plan_);
        std::swap(server_, moved.server_);
        std::swap(attempt_, moved.attempt_);
        return *this;
    }
    ~Visit() { end(); }

    /// Early; nothing where it has not begun, or is over.
    void end() {
        if (!plan_) return;
        plan_->fleet->leave(server_);
        attempt_.drop();
        plan_ = {};
    }
    void begin(policy::Attempt attempt) { attempt_ = std::move(attempt); }
    /// The first call counts; without one nothing is said of the server. True: it has just been left out, or
    /// has come back.
    bool settle(bool succeeded, Time now) { return attempt_.settle(succeeded, now); }
    /// Only of a visit that is under way.
    [[nodiscard]] const config::Server& server_settings() const {
        return plan_->settings.upstream.servers[server_];
    }
    [[nodiscard]] size_t server() const { return server_; }

  private:
    PlanPin plan_;
    size_t server_ = 0;
    policy::Attempt attempt_;
};

}  // namespace weir::proxy
