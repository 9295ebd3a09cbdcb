// How the request of `weir explain` comes in: at which address, and what it meets there before it is read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/command_line.h"
#include "config/settings.h"
#include "net/socket.h"
#include "net/tls_server_context.h"
#include "proxy/entrance.h"

namespace weir::app {

struct Approach {
    std::vector<std::pair<std::string_view, std::string>> lines;  ///< labels, and what is said of them
    std::optional<std::string> closed;  ///< why the connection is closed without an answer
    bool is_tls = false;
    bool is_admitted = true;  ///< by the certificates of client and request; see proxy::WayIn
    std::unique_ptr<const net::TlsDoor> door;  ///< of the entrance
    proxy::Entrance entrance;
};

/// Asks the code that lets connections in. `host`: of the request, as its head has it. Where certificates
/// cannot be read, what depends on them stays open, and that is said. The error is one sentence about a
/// question that is none.
[[nodiscard]] Result<Approach> approach_of(const config::Settings& settings, const cli::Question& question,
                                           std::string_view host);

/// The error names the option.
[[nodiscard]] Result<net::IpAddress> parse_ip(std::string_view option, const std::string& text);

}  // namespace weir::app
