// What is behind each listening address before a request is: TLS, the PROXY protocol, redirects.
#pragma once

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
/// Of an address with TLS. The error says which of its certificates cannot be used, and why. `keys` outlives
/// the sessions.
[[nodiscard]] Result<std::shared_ptr<const net::TlsServerContext>> load_tls(const config::Listen& listen,
                                                                            const net::TlsTicketKeys& keys);
/// `tls`: none for an address without.
[[nodiscard]] proxy::Entrance entrance_of(const config::Listen& listen, const net::TlsDoor* tls);

/// Thread: the control thread's, but for what the entrances lead to. Outlives the workers. An entrance is
/// kept for as long as it is configured, listened at, or known to a connection.
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

    /// Of one of the addresses that open() or the last change() has seen.
    [[nodiscard]] proxy::SharedEntrance entrance(const config::Listen& listen) const;

    /// What a change of the addresses needs. Nothing is changed yet.
    using Change = std::vector<std::pair<config::Listen, std::shared_ptr<const net::TlsServerContext>>>;
    /// Reads the certificates. The error says which of them cannot be used, and why.
    [[nodiscard]] Result<Change> prepare(const std::vector<config::Listen>& wanted) const;
    /// For connections that come from now on; those that exist go on with theirs, and tickets stay good. An
    /// address that only gets other certificates keeps its entrance, one that is not named loses it.
    void change(Change&& change);

  private:
    struct Door {
        config::Listen listen;
        std::optional<net::TlsDoor> tls;
        proxy::Entrance entrance;
    };
    [[nodiscard]] std::shared_ptr<Door> find(const config::Listen& listen) const;
    static void on_key_age(void* front_door, Time now);

    std::vector<std::shared_ptr<Door>> doors_;
    net::TlsTicketKeys keys_;
    Timer key_timer_;
};

}  // namespace weir::app
