// One HTTP/1.1 connection to the app: leased for one request at a time, read as strictly as a client is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/block_pool.h"
#include "http/body_reader.h"
#include "http/head_scan.h"
#include "http/message.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proxy/berths.h"
#include "proxy/error.h"

namespace weir::proxy {

class ServerTls;
class UpstreamPool;
struct Kit;

/// Who has leased a connection. Views live only during the call. The user may drop its lease in any of them,
/// and on_read_turn_end still follows if a read turn was under way.
class UpstreamUser {
  public:
    virtual void on_connected() = 0;
    virtual void on_upstream_writable() = 0;
    /// 1xx but 100 and 101.
    virtual void on_interim(const http::ResponseHead&) = 0;
    /// The fields may be changed: the head is the user's.
    virtual void on_response_head(http::ResponseHead&, http::Body) = 0;
    virtual void on_response_body(std::string_view payload) = 0;
    virtual void on_response_end(std::string_view trailers) = 0;
    /// After every batch of the three above.
    virtual void on_read_turn_end() = 0;
    /// 101: `rest` came behind the head. From now on only on_tunnel_ready is called.
    virtual void on_upgraded(const http::ResponseHead&, std::string_view rest) = 0;
    virtual void on_tunnel_ready() = 0;
    /// The connection is of no further use; nothing else is called for it.
    virtual void on_upstream_failed(const Error&) = 0;

  protected:
    ~UpstreamUser() = default;
};

/// Owned by its pool; thread: the pool's. Writes are not buffered here: what the socket does not take stays
/// with the user.
class UpstreamConn final : public net::Stream::Owner, public net::Retirable {
  public:
    UpstreamConn(Kit& kit, UpstreamPool& pool);

    enum class State : uint8_t {
        waiting,     ///< for a berth, without a socket
        failing,     ///< could not even be started: its user is told by a task
        taken_over,  ///< from another worker; not known to be alive
        connecting,
        securing,  ///< connected, and TLS is being agreed on
        idle,
        leased,
        tunnel,
        closed
    };

    // ---- for the user of a lease
    void expect_response_to(http::Method method) { method_ = method; }
    net::IoResult write(std::span<const iovec> pieces);
    [[nodiscard]] bool writable() const { return state_ == State::leased && stream_.writable(); }
    /// The request is out: without this a connection is not reused.
    void request_sent() { request_sent_ = true; }
    void pause_reading() { paused_ = true; }
    void resume_reading();
    /// Somebody else waits for the answer from now on.
    void pass_to(UpstreamUser& user);
    [[nodiscard]] bool paused() const { return paused_; }
    /// For room to be opened in: see UpstreamPool::go_ahead.
    [[nodiscard]] bool is_waiting() const { return state_ == State::waiting; }
    [[nodiscard]] bool is_connected() const { return state_ == State::leased || state_ == State::tunnel; }
    /// It has carried another request before this one.
    [[nodiscard]] bool reused() const { return requests_ > 1; }
    /// Of this request, not one byte can have been read by the app. See net::none_delivered_since.
    [[nodiscard]] bool none_delivered() const;
    /// Bytes of this connection that the app has sent and has acknowledged, for telling a stall.
    [[nodiscard]] uint64_t moved_bytes() const { return stream_.moved_bytes(); }
    /// While it is not connected: what the app has not done yet, as a clause for the client.
    [[nodiscard]] std::string_view what_is_late() const;
    [[nodiscard]] net::Stream& stream() { return stream_; }
    [[nodiscard]] UpstreamPool& pool() const { return pool_; }

    // ---- for the pool: how it comes by a socket, once
    void wait_for_berth(BerthParty& party, bool takes_used);
    /// What it waited for, if that is there.
    [[nodiscard]] std::optional<BerthWish::Granted> claim_berth();
    void connect(Berth berth, net::Fd fd, size_t address_index);
    void take_over(HandedOver connection, size_t address_index);
    void fail_soon(Berth berth, const Error& error, size_t address_index);

    // ---- for the pool
    void lease_to(UpstreamUser& user);
    /// The lease is over; true where the connection can carry another request.
    [[nodiscard]] bool end_lease();
    /// Whether a peer's close is already waiting to be seen: one system call.
    [[nodiscard]] bool close_is_pending() { return stream_.peek().status != net::IoStatus::again; }
    void close();
    /// Of an idle one: leaves this closed.
    [[nodiscard]] std::unique_ptr<HandedOver> hand_over(const net::SocketAddress& address);
    /// It counts among the connections to another place from now on.
    void move_to(Berth berth) { berth_ = std::move(berth); }
    [[nodiscard]] bool has_berth() const { return static_cast<bool>(berth_); }
    /// Its address is none of the server's any more: it is not kept.
    void outdate() { is_outdated_ = true; }
    [[nodiscard]] bool is_outdated() const { return is_outdated_; }
    [[nodiscard]] State state() const { return state_; }
    /// Opened ahead of need and not connected yet.
    [[nodiscard]] bool is_warming() const {
        return (state_ == State::connecting || state_ == State::securing) && user_ == nullptr;
    }
    [[nodiscard]] uint64_t requests() const { return requests_; }
    [[nodiscard]] Time opened_at() const { return opened_at_; }
    [[nodiscard]] Time idle_since() const { return idle_since_; }
    [[nodiscard]] size_t address_index() const { return address_index_; }
    /// From "Keep-Alive: timeout=N"; zero where the app said nothing.
    [[nodiscard]] Duration announced_idle() const { return announced_idle_; }
    size_t slot = 0;  ///< where the pool keeps it

    void on_ready() override;

  private:
    static void on_task(void* conn);
    void finish_connect();
    void begin_reuse();
    void secure();
    void be_connected();
    void fail_connect(const Error&);
    void read_turn();
    size_t read_once(std::span<char> room);
    void note_answer();
    void consume(std::string_view bytes);
    std::string_view take_head(std::string_view bytes);
    std::string_view on_head(std::string_view head, std::string_view rest);
    std::string_view pass_head(http::ResponseHead&, http::Body, std::string_view rest);
    void pass_held_head();
    [[nodiscard]] Retry retry_after_end() const;
    std::string_view take_body(std::string_view bytes);
    void stash(std::string_view bytes);
    void response_done(bool clean);
    void on_end(const net::IoResult&);
    void fail(const Error&);
    void note_keep_alive(const http::ResponseHead&);

    Kit& kit_;
    UpstreamPool& pool_;
    UpstreamUser* user_ = nullptr;
    const std::shared_ptr<ServerTls> tls_;  ///< null: in plain
    net::Stream stream_;
    net::Task task_;
    Timer head_timer_;               ///< while the head is held
    std::optional<BerthWish> wish_;  ///< while it waits
    Berth berth_;                    ///< while there is a socket; a tunnel has none
    State state_ = State::waiting;
    http::Method method_ = http::Method::get;
    bool paused_ = false;
    bool request_sent_ = false;
    bool head_done_ = false;
    bool head_is_held_ =
        false;                 ///< all of it is in partial_head_: its user gets it with the first of the body
    bool keep_alive_ = false;  ///< the app's wish
    bool reusable_ = false;    ///< the response is over, and another request may follow
    bool peer_finished_ = false;  ///< a FIN, not a reset, ended it
    uint8_t interim_heads_ = 0;
    uint64_t requests_ = 0;
    uint64_t sent_before_ = 0;   ///< this request, on the wire
    bool has_answered_ = false;  ///< this request, with at least one byte
    bool is_outdated_ = false;
    Error failure_;  ///< while it fails
    std::string tls_failure_;
    Time opened_at_;
    Time idle_since_;
    Duration announced_idle_{0};
    Duration was_idle_{0};  ///< before it was leased
    size_t address_index_ = 0;
    Block partial_head_;
    size_t partial_bytes_ = 0;
    http::HeadScan scan_;
    http::BodyReader body_;
};

}  // namespace weir::proxy
