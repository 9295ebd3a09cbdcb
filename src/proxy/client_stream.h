// What an exchange needs of the client it serves, whatever protocol that speaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace weir::net {
class Stream;
}

namespace weir::proxy {

/// Views handed in must stay valid until flush() returns; nothing reaches the socket before that. No call
/// ever ends the exchange that makes it: that happens later, from the loop.
class ClientStream {
  public:
    /// 100 Continue, sent at once.
    virtual void send_continue() = 0;
    /// Another 1xx of the app. Ignored where the client is too old for it.
    virtual void send_interim(const http::ResponseHead&) = 0;

    /// Once an exchange. `body` is the framing as the app had it, or as weir made it.
    virtual void send_head(const http::ResponseHead&, http::Body body, std::string_view request_id) = 0;
    virtual void send_body(std::string_view payload) = 0;
    /// `trailers`: a checked section as ChunkDecoder::trailers() gives it, or "".
    virtual void send_end(std::string_view trailers) = 0;
    /// The response cannot be completed: what is queued still goes out, then the client sees that it ended
    /// short.
    virtual void send_cut() = 0;
    virtual void flush() = 0;

    /// Ends the connection (or stream) now, whatever is queued.
    virtual void abort() = 0;

    /// Bytes that wait for the client to read.
    [[nodiscard]] virtual size_t queued_bytes() const = 0;
    /// Bytes of this exchange that the client has sent and has acknowledged, for telling a stall.
    [[nodiscard]] virtual uint64_t moved_bytes() const = 0;
    /// The exchange wants more of the request body (again).
    virtual void resume_body() = 0;
    /// The client will send nothing more: it may be gone.
    [[nodiscard]] virtual bool has_ended() const = 0;
    /// When to call Exchange::on_deadline; replaces the former one.
    virtual void set_deadline(Time) = 0;

    /// Gives up the raw stream for a tunnel; it serves no request after that. nullptr where it cannot be had.
    virtual net::Stream* become_tunnel() = 0;
    /// For the tunnel: the bytes that were read beyond the request.
    [[nodiscard]] virtual std::string_view unread_input() const = 0;

    /// The exchange is closed: its books may be closed, from the loop.
    virtual void on_exchange_closed() = 0;

  protected:
    ~ClientStream() = default;
};

}  // namespace weir::proxy
