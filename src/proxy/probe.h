// One health check on a connection of its own: the request goes out, and the answer is read as strictly as
// any of the app's, and judged.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.h"
#include "http/body_reader.h"
#include "http/head_scan.h"
#include "net/loop.h"
#include "net/stream.h"
#include "policy/health_check.h"
#include "proxy/server_tls.h"

namespace weir::proxy {

/// What a server is asked, and what it has to say. Outlives the probes.
struct Question {
    std::string path;
    std::string request;  ///< every byte of it
    config::Expect expect;
};

/// GET for `health.path`. Host is `upstream.host`, or else the server's own address (`localhost` for a UNIX
/// socket).
[[nodiscard]] Question question_for(const config::Settings&, const config::Server&);

/// Thread: its loop's. It holds up to kMostBody of the answer's body, and one head; it reads no more of the
/// body than that. How long it may take is its owner's affair: see give_up().
class Probe final : public net::Stream::Owner, public net::Retirable {
  public:
    static constexpr size_t kMostBody = 65536;

    struct Finding {
        policy::CheckResult result = policy::CheckResult::passed;
        std::string cause;          ///< one clause for the operator; empty where it passed
        bool was_connected = true;  ///< false: the address was not reached
    };

    class Owner {
      public:
        /// Once, from the loop, unless the probe is destroyed before. It is closed by then, and may be
        /// retired but not destroyed.
        virtual void on_found(Finding) = 0;

      protected:
        ~Owner() = default;
    };

    /// `fd` as start_connect makes it; `tls` of a server with https, which outlives the probe.
    Probe(net::Loop& loop, net::Fd fd, const Question& question, Owner& owner, ServerTls* tls = nullptr);

    /// Concludes that it took too long; `waited` is for the operator.
    void give_up(Duration waited);

    void on_ready() override;

  private:
    static void on_task(void* probe);
    bool finish_connect();
    void send();
    void read_turn();
    void consume(std::string_view bytes);
    std::string_view take_head(std::string_view bytes);
    void on_head(std::string_view head);
    std::string_view take_body(std::string_view bytes);
    void on_end(const net::IoResult&);
    void judge();
    void broken(std::string_view how);
    void conclude(policy::CheckResult, std::string cause);

    enum class Phase : uint8_t { connecting, head, body, over };

    const Question& question_;
    Owner& owner_;
    ServerTls* tls_;
    bool is_securing_ = false;  ///< connected, and in the handshake where there is one
    net::Stream stream_;
    net::Task task_;
    Phase phase_ = Phase::connecting;
    std::string_view unsent_;
    uint8_t interim_heads_ = 0;
    bool has_heard_ = false;  ///< a byte came
    std::string head_;        ///< as far as it came
    http::HeadScan scan_;
    unsigned status_ = 0;
    http::BodyReader reader_;
    std::string body_;
};

}  // namespace weir::proxy
