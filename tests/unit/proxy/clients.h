// The client connections of a worker, for tests that are at their far ends.
#pragma once

#include <memory>
#include <utility>

#include "net/sockets.h"
#include "proxy/client_set.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

class Clients {
  public:
    explicit Clients(config::Settings settings = wide_settings()) {
        parts.settings = std::move(settings);
        set = std::make_unique<ClientSet>(parts.kit());
    }
    /// The far end of a new connection.
    net::Fd add() {
        auto pair = net::unix_pair();
        set->add(std::move(pair.near), net::IpAddress{}, entrance);
        return std::move(pair.far);
    }
    [[nodiscard]] size_t entered() const { return parts.gate->connections(); }

    WorkerParts parts;
    std::shared_ptr<Entrance> entrance = std::make_shared<Entrance>();
    std::unique_ptr<ClientSet> set;
};

}  // namespace weir::proxy
