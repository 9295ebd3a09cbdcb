// Asks every server of the app whether it is well.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "proxy/prober.h"

namespace weir::proxy {

/// Owned by the control thread, as its loop is. Checks go on for as long as it lives.
class ProberSet {
  public:
    explicit ProberSet(ProbeKit kit);
    ProberSet(const ProberSet&) = delete;
    ProberSet& operator=(const ProberSet&) = delete;

    void on_resolved(size_t server, const net::Resolution& found) { probers_[server]->on_resolved(found); }
    /// A worker could not connect to a server, or could ask none of them: that one, or all, are asked soon.
    void hurry(const std::optional<Endpoint>& server = std::nullopt);

  private:
    ProbeKit kit_;
    std::vector<std::unique_ptr<Prober>> probers_;
};

}  // namespace weir::proxy
