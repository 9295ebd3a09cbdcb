// One try of a request at one server, as the fleet counts it.
#pragma once

#include <utility>

#include "proxy/fleet.h"

namespace weir::proxy {

/// From the choice of a server to the end of the lease: counts as in flight there, and says how it went where
/// that says something of the server. Thread: any, one at a time. The fleet outlives it.
class Visit {
  public:
    Visit() = default;
    Visit(Fleet& fleet, size_t server, policy::Attempt attempt)
        : fleet_(&fleet), server_(server), attempt_(std::move(attempt)) {
        fleet.enter(server);
    }
    Visit(Visit&& other) noexcept
        : fleet_(std::exchange(other.fleet_, nullptr)),
          server_(other.server_),
          attempt_(std::move(other.attempt_)) {}
    Visit& operator=(Visit&& other) noexcept {
        Visit moved(std::move(other));
        std::swap(fleet_, moved.fleet_);
        std::swap(server_, moved.server_);
        std::swap(attempt_, moved.attempt_);
        return *this;
    }
    ~Visit() {
        if (fleet_ != nullptr) fleet_->leave(server_);
    }

    /// The first call counts; without one nothing is said of the server. True: it has just been left out, or
    /// has come back.
    bool settle(bool succeeded, Time now) { return attempt_.settle(succeeded, now); }
    [[nodiscard]] size_t server() const { return server_; }

  private:
    Fleet* fleet_ = nullptr;
    size_t server_ = 0;
    policy::Attempt attempt_;
};

}  // namespace weir::proxy
