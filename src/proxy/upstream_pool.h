// The connections of one worker to one server: idle ones are reused, most recent first, and retired before
// the app does it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/settings.h"
#include "net/socket.h"
#include "policy/idle_learner.h"
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

/// Thread: its worker's. Owns its connections.
class UpstreamPool {
  public:
    /// `tls`: null for a server that is spoken to in plain; outlives the pool. `server`: its place in the
    /// configuration.
    UpstreamPool(Kit& kit, Endpoint endpoint, std::shared_ptr<ServerTls> tls, ServerFigures& figures);
    ~UpstreamPool();
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    enum class Want : uint8_t {
        any,          ///< an idle connection if there is one
        any_checked,  ///< the same, after a look whether the app has closed it just now
        fresh,        ///< a new connection: the last one turned out to be dead
    };
    /// The user is told on_connected() later where the connection is new. Fails at once where none can be
    /// started.
    Result<Lease, Error> lease(UpstreamUser&, Want);

    void set_addresses(std::vector<net::SocketAddress> addresses);
    /// Once a second: closes what is too old or idle for too long, opens what `min_idle` asks for.
    void sweep(Time now);
    void close_idle();

    /// The same server under another plan: connections go on, and new ones are made by what holds now. The
    /// figures outlive the pool, or the next such call.
    void settle(const config::Pool& bounds, std::shared_ptr<ServerTls> tls, ServerFigures& figures);
    /// Whether it leads there.
    [[nodiscard]] bool leads_to(const config::Server& server) const {
        return endpoint_ == server.address && (tls_ != nullptr) == server.is_tls;
    }
    [[nodiscard]] bool is_empty() const { return all_.empty(); }

    /// It refused a connection a moment ago and has accepted none since.
    [[nodiscard]] bool is_suspect(Time now) const { return now < suspect_until_; }
    [[nodiscard]] size_t in_use() const { return all_.size() - idle_.size(); }
    [[nodiscard]] size_t idle() const { return idle_.size(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] size_t address_count() const { return addresses_.size(); }
    [[nodiscard]] ServerFigures& figures() const { return *figures_; }

    // ---- for connections and leases
    [[nodiscard]] const std::shared_ptr<ServerTls>& tls() const { return tls_; }
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
    Result<UpstreamConn*, Error> open();
    void remove(UpstreamConn&);
    void publish();
    [[nodiscard]] bool is_worn_out(const UpstreamConn&, Time now) const;
    [[nodiscard]] Duration idle_limit(const UpstreamConn&) const;

    Kit& kit_;
    Endpoint endpoint_;
    std::string name_;
    config::Pool bounds_;
    std::shared_ptr<ServerTls> tls_;
    ServerFigures* figures_;
    std::vector<net::SocketAddress> addresses_;
    size_t preferred_address_ = 0;
    Time suspect_until_{};
    policy::IdleLearner idle_learner_;
    std::optional<Duration> learnt_idle_;             ///< as of the last sweep
    std::vector<std::unique_ptr<UpstreamConn>> all_;  ///< UpstreamConn::slot is the index
    std::vector<UpstreamConn*> idle_;                 ///< the most recently used one is last
};

}  // namespace weir::proxy
