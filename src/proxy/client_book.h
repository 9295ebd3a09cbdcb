// What one worker knows of its busiest clients.
#pragma once

#include <mutex>

#include "policy/busy_clients.h"

namespace weir::proxy {

/// note() is its worker's, figures() any thread's, for which the worker may have to wait some 10 us.
class ClientBook {
  public:
    explicit ClientBook(Time now) : busy_(now) {}
    ClientBook(const ClientBook&) = delete;
    ClientBook& operator=(const ClientBook&) = delete;

    void note(const policy::ClientUse& use, Time now) {
        const std::lock_guard lock(mutex_);
        busy_.note(use, now);
    }
    [[nodiscard]] policy::BusyFigures figures(Time now) const {
        const std::lock_guard lock(mutex_);
        return busy_.figures(now);
    }

  private:
    mutable std::mutex mutex_;
    policy::BusyClients busy_;
};

}  // namespace weir::proxy
