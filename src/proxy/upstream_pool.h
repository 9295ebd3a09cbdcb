// The connections of one worker to one server: idle ones are reused, most recent first, and retired before
// the app does it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"
#include "net/socket.h"
#include "policy/idle_learner.h"
#include "proxy/berths.h"
#include "proxy/error.h"
#include "proxy/metrics.h"
#include "proxy/server_tls.h"
#include "proxy/upstream_conn.h"

namespace weir::proxy {

struct Kit;

/// A borrowed connection. Dropping it gives the connection back, or closes it where it cannot be used again.
class Lease {
  public:
    Lease() = default;
    explicit Lease(UpstreamConn& conn) : conn_(&conn) {}
    Lease(Lease&& other) noexcept : conn_(std::exchange(other.conn_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
        Lease moved(std::move(other));
        std::swap(conn_, moved.conn_);
        return *this;
    }
    ~Lease();

    void drop() { *this = Lease(); }
    explicit operator bool() const { return conn_ != nullptr; }
    UpstreamConn* operator->() const { return conn_; }
    UpstreamConn& operator*() const { return *conn_; }

  private:
    UpstreamConn* conn_ = nullptr;
};

/// Thread: its worker's. Owns its connections, each of which has a berth, but for tunnels.
class UpstreamPool {
  public:
    /// The server that it leads to.
    struct Lead {
        Endpoint address;
        std::shared_ptr<ServerTls> tls{};  ///< null: it is spoken to in plain
        std::shared_ptr<Berths> berths;    ///< never null; the other workers' pools have the same
    };
    UpstreamPool(Kit& kit, Lead lead, ServerFigures& figures);
    ~UpstreamPool();
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    enum class Want : uint8_t {
        any,          ///< an idle connection if there is one
        any_checked,  ///< the same, after a look whether the app has closed it just now
        fresh,        ///< a new connection: the last one turned out to be dead
    };
    /// Where the connection is not ready at once, the user is told on_connected() later, or why it failed. It
    /// may have to wait until another worker gives up a connection that lies idle: see go_ahead().
    Lease lease(UpstreamUser&, Want);
    /// A connection that still waits is opened, however many there are: its request is let into the app by
    /// the caps, so that at most connections which nobody can give up are in its way.
    void go_ahead(UpstreamConn&);

    void set_addresses(std::vector<net::SocketAddress> addresses);
    /// Once a second: closes what is too old or idle for too long, opens what `min_idle` asks for.
    void sweep(Time now);
    void close_idle();

    /// The same server under another plan: connections go on, and new ones are made by what holds now. The
    /// figures outlive the pool, or the next such call.
    void settle(const config::Pool& bounds, Lead lead, ServerFigures& figures);
    [[nodiscard]] const Lead& lead() const { return lead_; }
    /// Whether it leads there.
    [[nodiscard]] bool leads_to(const config::Server& server) const {
        return lead_.address == server.address && (lead_.tls != nullptr) == server.is_tls;
    }
    [[nodiscard]] bool is_empty() const { return all_.empty(); }

    /// It refused a connection a moment ago and has accepted none since.
    [[nodiscard]] bool is_suspect(Time now) const { return now < suspect_until_; }
    [[nodiscard]] size_t in_use() const { return all_.size() - idle_.size() - waiting_.size(); }
    [[nodiscard]] size_t idle() const { return idle_.size(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] size_t address_count() const { return addresses_.size(); }
    [[nodiscard]] ServerFigures& figures() const { return *figures_; }

    // ---- for connections and leases
    [[nodiscard]] const std::shared_ptr<ServerTls>& tls() const { return lead_.tls; }
    void give_back(UpstreamConn&);
    void drop_idle(UpstreamConn&);
    void drop_closed(UpstreamConn&);  ///< the app has closed an idle one
    void note_closed_after(Duration idle);
    void note_reused_after(Duration idle) { idle_learner_.reused(idle); }
    void keep_idle(UpstreamConn&);
    void note_connected(const UpstreamConn& conn);
    /// The next connection is tried to the next of the server's addresses.
    void note_connect_failed(size_t address_index);

  private:
    UpstreamConn* take_idle(Want);
    UpstreamConn& add();
    void open(UpstreamConn&, Berth);
    void remove(UpstreamConn&);
    void publish();
    void warm_up();
    // upstream_pool_berths.cc
    void wait_for_berth(UpstreamConn&, Want);
    void on_called();
    void begin_granted();
    void begin(UpstreamConn&, BerthWish::Granted);
    void pay();
    void offer(UpstreamConn&);
    [[nodiscard]] UpstreamConn* find_warming() const;
    void move_berths(Lead lead);
    [[nodiscard]] bool is_worn_out(const UpstreamConn&, Time now) const;
    [[nodiscard]] Duration idle_limit(const UpstreamConn&) const;

    Kit& kit_;
    Lead lead_;
    std::string name_;
    config::Pool bounds_;
    ServerFigures* figures_;
    std::optional<BerthParty> party_;  ///< always there
    bool owes_ = false;                ///< what becomes idle may be wanted elsewhere
    std::vector<net::SocketAddress> addresses_;
    size_t preferred_address_ = 0;
    Time suspect_until_{};
    policy::IdleLearner idle_learner_;
    std::optional<Duration> learnt_idle_;             ///< as of the last sweep
    std::vector<std::unique_ptr<UpstreamConn>> all_;  ///< UpstreamConn::slot is the index
    std::vector<UpstreamConn*> idle_;                 ///< the most recently used one is last
    std::vector<UpstreamConn*> waiting_;              ///< for a berth, in order
};

}  // namespace weir::proxy
