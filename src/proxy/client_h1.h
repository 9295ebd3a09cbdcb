// One HTTP/1.1 client connection: finds requests in its bytes, gives each to an exchange, and writes what
// comes back.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/timing_wheel.h"
#include "http/body_reader.h"
#include "http/head_scan.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proxy/client.h"
#include "proxy/client_stream.h"
#include "proxy/connection_gate.h"
#include "proxy/entrance.h"
#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/response_sender.h"

namespace weir::proxy {

class ClientH1;
class ClientSet;

/// All that a connection needs only while a request is under way: from its first byte to the last one of its
/// answer.
struct Turn {
    Turn(Kit& kit, ClientH1& client);

    Block input;  ///< bytes read and not dealt with: [input_begin, input_end)
    size_t input_begin = 0;
    size_t input_end = 0;
    http::HeadScan scan;
    http::BodyReader body;
    bool body_ended = false;  ///< and the exchange has been told
    bool ended_with_request =
        false;  ///< the client's sending side was closed by the time its request was whole
    bool keep_alive = false;
    bool is_http10 = false;
    bool ends_by_close = false;  ///< nothing else tells this client where the answer ends
    bool cut = false;
    net::Task task;
    char address[net::IpAddress::kMaxText];
    size_t address_length;
    std::optional<Exchange> exchange;

    [[nodiscard]] std::string_view pending() const {
        return {input.bytes() + input_begin, input_end - input_begin};
    }
};

/// What a connection is made of when it can carry requests.
struct Connection {
    net::Fd fd;
    std::unique_ptr<net::TlsSession> tls;  ///< with the handshake behind it; null: a plain one
    GateSeat seat;                         ///< of the peer, or of whom a PROXY header tells
    SharedEntrance entrance;
};

/// Owned by its ClientSet; thread: its worker's. An idle one is this object and nothing else.
class ClientH1 final : public Client, public net::Stream::Owner, public ClientStream {
  public:
    ClientH1(Kit& kit, ClientSet& set, Connection connection);

    void drain() override;
    void shut() override;
    void on_ready() override;

    // ---- ClientStream
    void send_continue() override;
    void send_interim(const http::ResponseHead&) override;
    void send_head(const http::ResponseHead&, http::Body body, std::string_view request_id) override;
    void send_body(std::string_view payload) override { sender_.body(payload); }
    void send_end(std::string_view trailers) override { sender_.end(trailers); }
    void send_cut() override;
    void flush() override;
    void abort() override;
    [[nodiscard]] size_t queued_bytes() const override { return sender_.waiting_bytes(); }
    [[nodiscard]] uint64_t moved_bytes() const override { return stream_.moved_bytes(); }
    void resume_body() override { turn_->task.post(); }
    void set_deadline(Time deadline) override { timer_.arm(deadline); }
    [[nodiscard]] bool has_ended() const override { return stream_.peer_closed(); }
    net::Stream* become_tunnel() override;
    [[nodiscard]] std::string_view unread_input() const override { return turn_->pending(); }
    void on_exchange_closed() override { turn_->task.post(); }

  private:
    friend struct Turn;

    enum class Stage : uint8_t {
        unheard,    ///< no request has come
        heard,      ///< one has; others may follow
        lingering,  ///< the last answer is sent, the client may still send
    };

    static void on_timer(void* client, Time now);
    static void on_task(void* client);

    // reading
    void read_head();
    void take_head_bytes(std::string_view bytes);
    void become_h2(std::string_view bytes);
    void start_exchange(std::string_view head, std::string_view rest);
    void reject(const http::HeadFault&);
    [[nodiscard]] ClientFacts facts() const;
    void read_body();
    [[nodiscard]] std::string_view feed_body(std::string_view bytes);
    void stash(std::string_view bytes);
    void watch_for_close();

    // ending
    void gone();
    void finish_turn();
    void next_turn();
    void close_gently();
    void linger();
    void destroy();

    Kit& kit_;
    ClientSet& set_;
    net::Stream stream_;
    Timer timer_;
    ResponseSender sender_;
    ObjectPool<Turn>::Owned turn_;
    GateSeat seat_;
    SharedEntrance entrance_;
    Stage stage_ = Stage::unheard;
};

}  // namespace weir::proxy
