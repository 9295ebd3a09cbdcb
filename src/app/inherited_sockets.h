// Listening sockets that were open before weir was, and stay open when it ends: clients that come meanwhile
// wait in them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "net/socket.h"

namespace weir::app {

class InheritedSockets {
  public:
    explicit InheritedSockets(std::vector<net::Fd> sockets) : sockets_(std::move(sockets)) {}

    /// The one that is bound to the address, ready to be used; each once. None: weir opens its own.
    [[nodiscard]] std::optional<net::Fd> claim(const Endpoint& address);

    /// Where those are bound that nobody has claimed: their clients would wait for ever.
    [[nodiscard]] std::vector<std::string> unclaimed() const;

  private:
    std::vector<net::Fd> sockets_;
};

}  // namespace weir::app
