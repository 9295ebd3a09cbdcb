// What is behind each listening address before a request is: TLS, the PROXY protocol, redirects.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/timing_wheel.h"
#include "config/settings.h"
#include "net/loop.h"
#include "net/tls_server_context.h"
#include "net/tls_ticket_keys.h"
#include "proxy/entrance.h"

namespace weir::app {

[[nodiscard]] net::TlsFiles tls_files_of(const config::Certificate& certificate);

/// Thread: the control thread's, but for what the entrances lead to. Outlives the workers.
class FrontDoor {
    struct Private {
        explicit Private() = default;
    };

  public:
    /// Tickets are sealed with another key each hour, and those of the last two still open.
    static constexpr Duration kKeyLife = std::chrono::hours(1);

    FrontDoor(Private, net::Loop& loop);  ///< for open() alone
    FrontDoor(const FrontDoor&) = delete;
    FrontDoor& operator=(const FrontDoor&) = delete;
    /// Reads certificates and keys. The error says which of them cannot be used, and why.
    static Result<std::unique_ptr<FrontDoor>> open(const config::Settings& settings, net::Loop& loop);

    /// Of `listen[index]`, as it was at first.
    [[nodiscard]] const proxy::Entrance& entrance(size_t index) const { return doors_[index].entrance; }

    /// Reads the certificates of `settings` anew, for connections that come from now on; those that exist
    /// go on with theirs, and tickets stay good. An address takes the certificates that `settings` has for
    /// the same address; where there are none any more, it keeps what it has. All or nothing: where one
    /// cannot be used, every address keeps what it has, and the error says why.
    Result<bool> reload(const config::Settings& settings);

  private:
    struct Door {
        Endpoint address;
        std::optional<net::TlsDoor> tls;
        proxy::Entrance entrance;
    };
    static void on_key_age(void* front_door, Time now);
    Result<std::shared_ptr<const net::TlsServerContext>> load(const config::Listen& listen) const;

    std::deque<Door> doors_;  ///< in the order of `listen`; never moved
    net::TlsTicketKeys keys_;
    Timer key_timer_;
};

}  // namespace weir::app
