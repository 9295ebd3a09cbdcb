#include "proxy/probe.h"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <system_error>

#include "config/units.h"
#include "http/head_parser.h"

namespace weir::proxy {

namespace {

using policy::CheckResult;

constexpr uint8_t kMaxInterimHeads = 32;
constexpr size_t kReadBytes = 16384;
/// Then others on the loop have their turn.
constexpr int kReadsATurn = 4;

}  // namespace

Question question_for(const config::Settings& settings, const config::Server& server) {
    const std::string own = server.address.is_unix() ? "localhost" : to_string(server.address);
    return {.path = settings.health.path,
            .request = fmt::format(
                "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: weir-health\r\nConnection: close\r\n\r\n",
                settings.health.path, settings.upstream.host.empty() ? own : settings.upstream.host),
            .expect = settings.health.expect};
}

Probe::Probe(net::Loop& loop, net::Fd fd, const Question& question, Owner& owner, ServerTls* tls)
    : question_(question),
      owner_(owner),
      tls_(tls),
      stream_(loop, std::move(fd), *this, tls != nullptr ? tls->session() : nullptr),
      task_(loop, &Probe::on_task, this),
      unsent_(question.request) {}

void Probe::on_ready() {
    if (phase_ == Phase::connecting && !finish_connect()) return;
    send();
    if (stream_.readable()) read_turn();
}

void Probe::on_task(void* probe) { static_cast<Probe*>(probe)->read_turn(); }

bool Probe::finish_connect() {
    if (!stream_.writable() && !stream_.readable()) return false;
    if (int error = net::socket_error(stream_.fd()); error != 0) {
        conclude(CheckResult::no_connection, std::generic_category().message(error));
        return false;
    }
    if (!stream_.writable() && !is_securing_) return false;
    is_securing_ = true;
    switch (stream_.handshake().status) {
        case net::IoStatus::again: return false;
        case net::IoStatus::ok: phase_ = Phase::head; return true;
        case net::IoStatus::closed:
        case net::IoStatus::failed:
            conclude(CheckResult::no_connection, tls_->describe(stream_.tls()->fault()));
            return false;
    }
    return false;
}

void Probe::send() {
    if (unsent_.empty() || !stream_.writable()) return;
    // The socket does not write through it.
    iovec piece{.iov_base = const_cast<char*>(unsent_.data()), .iov_len = unsent_.size()};
    auto result = stream_.write({&piece, 1});
    unsent_.remove_prefix(result.bytes);
    if (result.status != net::IoStatus::failed) return;
    unsent_ = {};
    stream_.expect_end();  // what the app said before it closed tells more
}

void Probe::read_turn() {
    std::array<char, kReadBytes> room;
    for (int reads = 0; stream_.readable(); ++reads) {
        if (reads == kReadsATurn) return task_.post();
        auto got = stream_.read(room);
        if (got.status == net::IoStatus::ok) consume({room.data(), got.bytes});
        if (got.status == net::IoStatus::closed || got.status == net::IoStatus::failed) on_end(got);
    }
}

void Probe::consume(std::string_view bytes) {
    has_heard_ = true;
    while (!bytes.empty() && phase_ != Phase::over)
        bytes = phase_ == Phase::body ? take_body(bytes) : take_head(bytes);
}

/// Returns what is left behind the head.
std::string_view Probe::take_head(std::string_view bytes) {
    const size_t before = head_.size();
    head_ += bytes;
    switch (scan_head(head_, scan_)) {
        case http::ScanResult::complete: {
            bytes.remove_prefix(scan_.looked_at - before);
            on_head(std::string_view(head_).substr(0, scan_.looked_at));
            head_.clear();
            scan_ = {};
            return bytes;
        }
        case http::ScanResult::incomplete:
            if (head_.size() > http::kMaxResponseHeadBytes) broken("the head of its answer is too large");
            return {};
        case http::ScanResult::bare_lf: broken("a line of its answer ends without CR"); return {};
    }
    return {};
}

void Probe::on_head(std::string_view head) {
    http::ResponseHead parsed;
    if (auto fault = http::parse_response_head(head, parsed)) return broken(fault->detail);
    if (parsed.status == 101) return broken("it switched protocols unasked");
    if (parsed.status < 200) {
        if (++interim_heads_ > kMaxInterimHeads) broken("it sent too many interim answers");
        return;
    }
    phase_ = Phase::body;
    status_ = parsed.status;
    reader_ = http::BodyReader(http::response_body(parsed, http::Method::get));
    // What the body of a wrong answer says changes nothing.
    const bool is_lost = policy::judge(question_.expect, status_, {}) == CheckResult::wrong_status;
    if (is_lost || reader_.done()) judge();
}

std::string_view Probe::take_body(std::string_view bytes) {
    auto step = reader_.next(bytes);
    body_ += step.payload.substr(0, kMostBody - body_.size());
    if (reader_.failed()) {
        broken(reader_.fault().detail);
    } else if (reader_.done() || body_.size() == kMostBody) {
        judge();
    }
    return bytes.substr(step.consumed);
}

void Probe::on_end(const net::IoResult& got) {
    const bool is_whole = got.status == net::IoStatus::closed && phase_ == Phase::body && reader_.close();
    if (is_whole) return judge();
    broken(has_heard_ ? "it closed the connection in the middle of its answer"
                      : "it closed the connection without an answer");
}

void Probe::judge() {
    const CheckResult result = policy::judge(question_.expect, status_, body_);
    std::string cause;
    if (result == CheckResult::wrong_status)
        cause = fmt::format("it answered {} with {}", question_.path, status_);
    if (result == CheckResult::wrong_body) cause = "its answer lacks the text of `health.expect.body`";
    conclude(result, std::move(cause));
}

void Probe::broken(std::string_view how) { conclude(CheckResult::broken, std::string(how)); }

void Probe::give_up(Duration waited) {
    std::string_view missing;
    switch (phase_) {
        case Phase::connecting: missing = "no connection"; break;
        case Phase::head: missing = "no answer"; break;
        case Phase::body: missing = "no complete answer"; break;
        case Phase::over: return;
    }
    conclude(CheckResult::timed_out, fmt::format("{} within {}", missing, config::format_duration(waited)));
}

void Probe::conclude(CheckResult result, std::string cause) {
    assert(phase_ != Phase::over);
    const bool was_connected = phase_ != Phase::connecting;
    phase_ = Phase::over;
    task_.withdraw();
    stream_.close();
    owner_.on_found({.result = result, .cause = std::move(cause), .was_connected = was_connected});
}

}  // namespace weir::proxy
