// One HTTP/2 client connection (RFC 9113): its session, its streams and its bounds.
#pragma once

#include <string_view>
#include <vector>

#include "base/object_pool.h"
#include "base/timing_wheel.h"
#include "http/h2_fields.h"
#include "http/h2_session.h"
#include "net/stream.h"
#include "policy/flood_guard.h"
#include "proxy/client.h"
#include "proxy/connection_gate.h"
#include "proxy/h2_stream.h"
#include "proxy/kit.h"
#include "proxy/response_sender.h"

namespace weir::proxy {

class ClientSet;

/// Owned by its ClientSet; thread: its worker's. What happens in one batch of events leaves in one write, by
/// a task. An idle one holds no block and no stream, but its session.
class ClientH2 final : public Client,
                       public net::Stream::Owner,
                       public http::H2Session::Connection,
                       public http::H2Session::Output {
  public:
    using StreamId = http::H2Session::StreamId;

    static constexpr uint32_t kMaxStreams = 100;
    /// What a client may send ahead of the app: on one stream, and on all while memory is short.
    static constexpr uint32_t kStreamWindow = 128 * 1024;
    static constexpr uint32_t kConnectionWindow = 256 * 1024;

    /// Goes on with the socket of `former`.
    ClientH2(Kit& kit, ClientSet& set, net::Stream& former, Origin origin);

    /// `bytes` were read already. Once.
    void start(std::string_view bytes);
    void drain() override;
    void shut() override;
    void on_ready() override;

    // ---- for its streams
    [[nodiscard]] http::H2Session& session() { return session_; }
    [[nodiscard]] http::H2Fields& fields() { return fields_; }
    [[nodiscard]] ClientFacts facts() const;
    /// There is something to write, or to do for this stream: soon, and not within this call.
    void wake();
    void come_back_for(H2Stream& stream);
    void note_progress() { guard_.note_progress(); }
    /// Bytes of frames: written, taken by the kernel, acknowledged by the client.
    [[nodiscard]] uint64_t written_bytes() const { return written_; }
    [[nodiscard]] uint64_t accepted_bytes() const { return written_ - sender_.waiting_bytes(); }
    [[nodiscard]] uint64_t acknowledged_bytes() const;
    [[nodiscard]] bool has_left() const { return stream_.peer_closed(); }

    // ---- http::H2Session::Connection
    void on_frame(http::H2Frame) override;
    void on_section(http::H2Session::Stream*) override;
    void on_section_end() override;
    void on_field(std::string_view name, std::string_view value) override;
    http::H2Session::Stream* on_request(StreamId id, bool is_end) override;
    void on_ping_answered() override;

    // ---- http::H2Session::Output
    void write(std::string_view bytes) override;
    [[nodiscard]] bool is_full() const override;

  private:
    enum class Phase : uint8_t {
        unheard,  ///< no request has come
        open,
        noticed,    ///< the client was told that the end is near, and may not have heard
        ending,     ///< no new streams; it closes behind the last one
        lingering,  ///< all is said, the client may still send
    };

    /// What work() is at.
    enum class Round : uint8_t { none, under_way, not_the_last };

    static void on_timer(void* client, Time now);
    static void on_task(void* client) { static_cast<ClientH2*>(client)->work(); }

    [[nodiscard]] bool read();
    void take(std::string_view bytes);
    void reject(H2Stream& stream, const http::HeadFault& fault);
    void note(policy::Flood kind);
    void calm(policy::Flood kind);

    /// The session is ended, whatever is under way.
    [[nodiscard]] bool is_given_up() const { return phase_ == Phase::ending && end_by_ != kNever; }

    void work();
    [[nodiscard]] bool work_once();
    [[nodiscard]] bool flush();
    void visit_due();
    void reap();
    void end_stream(H2Stream& stream);
    void end_streams();
    void arm();

    void give_notice();
    void end_gently();
    void finish();
    void linger();
    void gone();
    void destroy();

    Kit& kit_;
    ClientSet& set_;
    net::Stream stream_;
    Timer timer_;
    net::Task task_;
    ResponseSender sender_;
    GateSeat seat_;
    const SharedEntrance entrance_;
    char address_[net::IpAddress::kMaxText];
    size_t address_length_;
    Phase phase_ = Phase::unheard;
    Round round_ = Round::none;
    Time created_;
    Time idle_since_;
    Time section_since_ = kNever;  ///< of the field section under way
    Time end_by_ = kNever;         ///< of what is being ended
    uint64_t written_ = 0;
    policy::FloodGuard guard_;
    http::H2Fields fields_;
    std::vector<ObjectPool<H2Stream>::Owned> streams_;  ///< H2Stream::slot is the index
    std::vector<H2Stream*> due_;                        ///< H2Stream::is_due
    http::H2Session session_;
};

}  // namespace weir::proxy
