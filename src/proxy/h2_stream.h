// One stream of an HTTP/2 connection (RFC 9113, 5): one request, and the exchange that it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/byte_queue.h"
#include "base/timing_wheel.h"
#include "http/h2_session.h"
#include "proxy/client_stream.h"
#include "proxy/delivery.h"
#include "proxy/exchange.h"

namespace weir::proxy {

class ClientH2;

/// Made where the request's head is whole; owned by its connection, which ends it only from the loop. The
/// client may send as many bytes as the app has taken, and what the app sends waits here until the client's
/// window lets it through.
class H2Stream final : public ClientStream, public http::H2Session::Stream {
  public:
    using StreamId = http::H2Session::StreamId;

    H2Stream(Kit& kit, ClientH2& client, StreamId id);
    H2Stream(const H2Stream&) = delete;
    H2Stream& operator=(const H2Stream&) = delete;

    // ---- from its connection
    /// `head` was parsed from the first `used` bytes of `block`. `is_end`: nothing follows it.
    void begin(http::RequestHead& head, Block block, size_t used, bool is_end);
    void reject(const http::HeadFault& fault, const http::RequestHead& head, Block block);
    /// Hands in what waits, where that is wanted again.
    void feed();
    /// The connection has written what it could. False: nothing more is to come back for.
    [[nodiscard]] bool after_write();
    /// The connection is gone.
    void lose() { exchange_.on_client_gone(); }
    [[nodiscard]] bool is_over() const { return exchange_.is_closed(); }
    /// Once, when it is over.
    void close();

    size_t slot = 0;      ///< where its connection keeps it
    bool is_due = false;  ///< its connection comes back for it

    // ---- http::H2Session::Stream
    void on_data(std::string_view payload) override;
    void on_end() override;
    void on_trailers(bool is_end) override;
    void on_closed() override;
    http::H2Session::Supply supply(size_t room) override;
    void give(size_t bytes, http::H2Session::Output& output) override;
    void on_frame_sent(http::H2Frame kind, bool is_end) override;

    // ---- ClientStream
    void send_continue() override;
    void send_interim(const http::ResponseHead&) override;
    void send_head(const http::ResponseHead&, http::Body body, std::string_view request_id) override;
    void send_body(std::string_view payload) override;
    void send_end(std::string_view trailers) override;
    void send_cut() override;
    void flush() override;
    void abort() override;
    [[nodiscard]] size_t queued_bytes() const override;
    [[nodiscard]] uint64_t moved_bytes() const override;
    void resume_body() override;
    [[nodiscard]] bool has_ended() const override;
    void set_deadline(Time deadline) override { timer_.arm(deadline); }
    net::Stream* become_tunnel() override { return nullptr; }
    [[nodiscard]] std::string_view unread_input() const override { return {}; }
    void on_exchange_closed() override;

  private:
    /// What the client has sent of its request.
    enum class Intake : uint8_t {
        open,
        ended,   ///< all of it, but the exchange has not taken all
        handed,  ///< all of it, and the exchange knows
        faulty,  ///< the rest does not matter
    };
    /// What the session has of the answer.
    enum class Reply : uint8_t {
        none,
        open,     ///< the head; more follows
        ended,    ///< all is here
        over,     ///< all has gone through it
        aborted,  ///< it is reset, whatever there was
    };

    static void on_timer(void* stream, Time now);
    void hand_in_end();
    void give_credit();
    void refuse_rest(const http::HeadFault&);

    Kit& kit_;
    ClientH2& client_;
    const StreamId id_;
    Intake intake_ = Intake::open;
    Reply reply_ = Reply::none;
    bool is_head_ = false;                     ///< the request's method
    bool head_due_ = false;                    ///< the answer's head has not gone through the session
    bool is_hungry_ = false;                   ///< the exchange wants body again
    bool is_closed_ = false;                   ///< the session knows it no more
    std::optional<uint64_t> body_left_;        ///< of the request, where its length was announced
    std::optional<http::H2Error> reset_with_;  ///< instead of END_STREAM
    std::string trailers_;                     ///< of the request, then of the answer
    uint64_t received_ = 0;                    ///< payload
    size_t uncredited_ = 0;                    ///< of it, which the stream's window lacks
    size_t withheld_ = 0;                      ///< of it, which the connection's window lacks
    ByteQueue unread_;                         ///< payload that the exchange does not want yet
    ByteQueue body_;                           ///< of the answer
    mutable Delivery delivery_;                ///< looked at when asked
    Timer timer_;
    Exchange exchange_;
};

}  // namespace weir::proxy
