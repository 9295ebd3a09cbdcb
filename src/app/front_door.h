// What is behind each listening address before a request is: TLS, the PROXY protocol, redirects.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <utility>
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

    /// Of an address that open() or change() has seen, as it was last.
    [[nodiscard]] const proxy::Entrance& entrance(const config::Listen& listen) const;

    /// What a change of the addresses needs. Nothing is changed yet.
    using Change = std::vector<std::pair<config::Listen, std::shared_ptr<const net::TlsServerContext>>>;
    /// Reads the certificates. The error says which of them cannot be used, and why.
    [[nodiscard]] Result<Change> prepare(const std::vector<config::Listen>& wanted) const;
    /// For connections that come from now on; those that exist go on with theirs, and tickets stay good. An
    /// address that only gets other certificates keeps its entrance.
    void change(Change&& change);

  private:
    struct Door {
        config::Listen listen;
        std::optional<net::TlsDoor> tls;
        proxy::Entrance entrance;
    };
    [[nodiscard]] size_t index_of(const config::Listen& listen) const;
    static void on_key_age(void* front_door, Time now);
    Result<std::shared_ptr<const net::TlsServerContext>> load(const config::Listen& listen) const;

    std::deque<Door> doors_;  ///< never moved, nor removed: connections may still know them
    net::TlsTicketKeys keys_;
    Timer key_timer_;
};

}  // namespace weir::app
