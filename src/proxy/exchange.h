// One request and its response: takes it from the client, gives it to the app, brings the answer back, and
// answers itself where the app cannot. See src/README.md for the walk and exchange_state.h for the states.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "http/cors.h"
#include "http/local_reply.h"
#include "http/message.h"
#include "http/request_id.h"
#include "net/loop.h"
#include "policy/progress.h"
#include "proxy/access_record.h"
#include "proxy/admission.h"
#include "proxy/client_stream.h"
#include "proxy/error.h"
#include "proxy/exchange_state.h"
#include "proxy/hold.h"
#include "proxy/identity.h"
#include "proxy/notable_requests.h"
#include "proxy/plans.h"
#include "proxy/slots.h"
#include "proxy/tunnel.h"
#include "proxy/upload.h"
#include "proxy/upstream_pool.h"
#include "proxy/upstream_set.h"

namespace weir::proxy {

struct Kit;
struct PublicAnswer;

/// Thread: its worker's. Owned by the client's side, which ends it only from the loop, after
/// on_exchange_closed().
class Exchange final : public UpstreamUser {
  public:
    Exchange(Kit& kit, ClientStream& client, const ClientFacts& facts);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // ---- from the client's side
    /// The head was parsed; its bytes are the first `used` ones of `block`.
    void begin(http::RequestHead&, Block block, size_t used);
    /// The head was not acceptable. What could be read of it is in `head`, for the log.
    void reject(const http::HeadFault&, const http::RequestHead& head, Block block);
    void on_request_body(std::string_view payload);
    void on_request_end(std::string_view trailers);
    void on_request_body_fault(const http::HeadFault&);
    /// More of the body may be handed in; where not, ClientStream::resume_body says when.
    [[nodiscard]] bool wants_body() const;
    /// What is left of the body is of no use to anybody.
    [[nodiscard]] bool drops_body() const {
        return state_ == ExchangeState::replying || state_ == ExchangeState::closed;
    }
    /// Fewer bytes wait for the client than before; perhaps none.
    void on_client_drained();
    void on_client_gone();
    void on_deadline(Time now);
    void on_client_tunnel_ready() { pump_tunnel(); }
    [[nodiscard]] bool in_tunnel() const { return state_ == ExchangeState::tunnel; }

    /// Everything has happened and been sent: the log line may be written, the connection may go on.
    [[nodiscard]] bool is_closed() const { return state_ == ExchangeState::closed; }
    /// Writes the log line. Once, when closed.
    void close_books();

    // ---- from the app's side
    void on_connected() override;
    void on_upstream_writable() override { send_upload(); }
    void on_interim(const http::ResponseHead&) override;
    void on_response_head(http::ResponseHead&, http::Body) override;
    void on_response_body(std::string_view payload) override;
    void on_response_end(std::string_view trailers) override;
    void on_read_turn_end() override;
    void on_upgraded(const http::ResponseHead&, std::string_view rest) override;
    void on_tunnel_ready() override { pump_tunnel(); }
    void on_upstream_failed(const Error& error) override { fail(error); }

  private:
    void enter(ExchangeEvent);
    void note_times(ExchangeState before);
    void remember(const http::RequestHead&);
    // exchange_admission.cc
    [[nodiscard]] bool admit(http::RequestHead&);
    [[nodiscard]] bool pass_rates(const http::RequestHead&);
    void add_quota_fields(http::ResponseHead&);
    [[nodiscard]] bool settle_total();
    // exchange_answers.cc
    [[nodiscard]] bool turn_away(const http::RequestHead&);
    [[nodiscard]] bool answer_without_app(const http::RequestHead&);
    void answer_publicly(const PublicAnswer&);
    void reply(const Error&);
    void answer(const http::ResponseHead&, std::string_view body);
    void add_shared_fields(http::ResponseHead&);
    // exchange_slots.cc
    void hold_enough();
    void leave_queue();
    void follow(Slots::Answer);
    void ask_app();
    void refuse_for_lack_of_room();
    [[nodiscard]] bool is_refused_in_shadow() const;
    void note_shadow_caps();
    void let_slots_go(ExchangeState before, ExchangeEvent);
    [[nodiscard]] bool app_is_at_work(ExchangeState before) const;
    void leave_to_app();
    void add_times();
    [[nodiscard]] int64_t milliseconds_left() const;
    void refresh_deadline();
    // exchange_hold.cc
    [[nodiscard]] bool may_hold(const Error&) const;
    void hold_for_app(const Error* why);
    void on_hold_answer(HeldPlace::Answer);
    void refuse_unavailable();
    void pause_before_repeat();
    void end_pause();
    void leave_hold();
    void let_hold_go();
    void connect();
    void send_upload();
    void after_upload();
    void pump_tunnel();

    void fail(const Error&);
    void count_failure(const Error&, bool is_repeated) const;
    [[nodiscard]] bool may_repeat(const Error&) const;
    [[nodiscard]] bool may_ask_again() const;
    [[nodiscard]] bool is_stale(const Error&) const;
    [[nodiscard]] bool speaks_against_server(const Error&) const;
    void note_outcome(bool succeeded);
    void tell_unreachable(const Error&) const;
    void tell_reached() const;
    void note_answer(bool is_sound);
    void keep_detail(std::string_view detail);
    void cut(const Error&);
    void give_up(std::string_view why);

    [[nodiscard]] Time hold_until() const;
    void arm_deadline(Time now);
    void on_connect_late(Time now);
    void sample_progress(Time now);
    [[nodiscard]] bool client_owes() const;
    [[nodiscard]] Duration since_start(Time) const;

    Kit& kit_;
    PlanPin plan_;  ///< what it began with, it ends with
    ClientStream& client_;
    ClientFacts facts_;
    Identity::AddressText client_text_;  ///< the client's address, where it is not the peer
    const Scope* scope_;                 ///< of the rules that hold for it
    std::string target_;                 ///< where a rule has rewritten it
    std::optional<http::RateLimitState> quota_;
    http::CorsRequest cors_;
    ExchangeState state_ = ExchangeState::receiving;
    http::Method method_ = http::Method::other;
    http::Body announced_;
    bool wants_upgrade_ = false;
    bool head_sent_ = false;  ///< of the response
    size_t attempts_ = 0;
    size_t deadline_at_ = 0;               ///< where the upload tells the app what is left of the time
    size_t deadline_digits_ = 0;           ///< 0: it does not
    Duration patience_ = Duration::max();  ///< of the client, as it says itself
    Duration total_;                       ///< the scope's, or the client's patience where that is less
    TriedServers tried_;
    UpstreamPool::Want want_ = UpstreamPool::Want::any;
    uint64_t body_bytes_ = 0;  ///< of the request

    Time started_;
    Time phase_started_;
    std::optional<policy::ClientKey> client_key_;  ///< in the queue; none where no scope was settled
    std::optional<Slots> slots_;
    std::optional<HeldPlace> held_;
    std::optional<policy::ReleasePacer::Ticket> ticket_;  ///< while it tries whether the app is back
    Time paused_until_ = kNever;                          ///< before it is sent again
    Time held_since_{};                                   ///< the first time
    int unreachable_error_ = 0;                           ///< errno of the last try
    Upload upload_;
    Visit visit_;
    Lease lease_;
    std::optional<Tunnel> tunnel_;
    net::Task tunnel_task_;
    policy::Progress client_progress_;
    policy::Progress upstream_progress_;
    std::array<char, http::RequestIdSource::kLength> own_id_;
    std::array<char, NotableRequest::kMost[static_cast<size_t>(NotableRequest::Text::detail)]> detail_;
    AccessRecord record_;
};

}  // namespace weir::proxy
