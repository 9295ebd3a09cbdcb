#include "app/admin_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "app/admin_listener.h"
#include "http/head_parser.h"
#include "http/head_writer.h"
#include "proxy/linger.h"

namespace weir::app {

namespace {

constexpr size_t kReadBytes = 4096;
constexpr http::HeadLimits kLimits{.head_bytes = AdminConnection::kMostHead,
                                   .fields = AdminConnection::kMostFields,
                                   .uri_bytes = AdminConnection::kMostHead};

bool has_body(const http::RequestHead& head) {
    return head.body.framing == http::Framing::chunked ||
           (head.body.framing == http::Framing::length && head.body.length > 0);
}

/// As it goes out, without the body.
std::string written_head(const AdminAnswer& answer, http::ResponseFacts facts) {
    http::ResponseHead head;
    head.status = answer.status;
    head.fields.push_back({.name = "Content-Type", .value = answer.type, .id = http::FieldId::content_type});
    head.fields.push_back({.name = "Cache-Control", .value = "no-store"});
    head.fields.push_back({.name = "X-Content-Type-Options", .value = "nosniff"});
    if (!answer.allow.empty()) head.fields.push_back({.name = "Allow", .value = answer.allow});
    if (!answer.policy.empty())
        head.fields.push_back({.name = "Content-Security-Policy", .value = answer.policy});
    head.fields.push_back({.name = "Referrer-Policy", .value = "no-referrer"});
    if (answer.wants_token)
        head.fields.push_back({.name = "WWW-Authenticate", .value = "Bearer realm=\"weir\""});
    facts.body = {.framing = http::Framing::length, .length = answer.body.size()};
    std::string text(http::response_head_bound(head, facts), '\0');
    text.resize(http::write_response_head(head, facts, text.data()));
    return text;
}

}  // namespace

AdminConnection::AdminConnection(AdminListener& listener, net::Loop& loop, net::Fd fd)
    : listener_(listener),
      loop_(loop),
      stream_(loop, std::move(fd), *this),
      timer_(loop.timers(), &AdminConnection::on_timer, this),
      task_(loop, &AdminConnection::on_task, this) {
    timer_.arm(loop.now() + kForHead);
}

void AdminConnection::on_timer(void* connection, Time) { static_cast<AdminConnection*>(connection)->close(); }

void AdminConnection::on_task(void* connection) {
    auto& self = *static_cast<AdminConnection*>(connection);
    self.take_requests();
    if (self.state_ == State::reading && self.stream_.readable()) self.read();
}

void AdminConnection::on_ready() {
    if (state_ == State::writing && stream_.writable()) write();
    if (state_ == State::reading && stream_.readable() && !task_.posted()) read();
    if (state_ == State::lingering) linger();
}

void AdminConnection::read() {
    std::array<char, kReadBytes> room;
    while (state_ == State::reading && stream_.readable() && !task_.posted()) {
        const net::IoResult got = stream_.read(room);
        if (got.status == net::IoStatus::again) return;
        if (got.status != net::IoStatus::ok) return close();
        if (is_idle()) timer_.arm(loop_.now() + kForHead);
        input_.append(room.data(), got.bytes);
        take_requests();
    }
}

/// One of them: whoever sends many at once takes turns with others.
void AdminConnection::take_requests() {
    if (state_ != State::reading || input_.empty()) return;
    const http::ScanResult found = http::scan_head(input_, scan_);
    const bool is_whole = found == http::ScanResult::complete;
    const size_t length = is_whole ? scan_.looked_at : input_.size();
    if (found == http::ScanResult::bare_lf) return refuse(400, "a line ends without CR", {});
    if (length > kMostHead) return refuse(431, "the request head is too large", {});
    if (!is_whole) return;
    scan_ = {};
    const std::string head = input_.substr(0, length);
    input_.erase(0, length);
    take_request(head);
}

void AdminConnection::take_request(std::string_view bytes) {
    http::RequestHead head;
    if (const auto fault = http::parse_request_head(bytes, kLimits, head))
        return refuse(http::text_of(fault->reason).status, fault->detail, {});
    if (has_body(head)) return refuse(413, "no body is taken here", head);
    if (!listener_.pages().is_for_round(head)) return answer(head);
    asked_ = bytes;
    state_ = State::waiting;
    timer_.arm(loop_.now() + kForAnswer);
    listener_.wait_for_round(*this);
}

void AdminConnection::answer_in_round() {
    const std::string asked = std::exchange(asked_, {});
    http::RequestHead head;
    if (!http::parse_request_head(asked, kLimits, head)) answer(head);
}

void AdminConnection::answer(const http::RequestHead& head) {
    queue(listener_.pages().answer(head, loop_.now()), head, head.keep_alive);
}

/// `head`: of the request, empty where it could not be read.
void AdminConnection::refuse(uint16_t status, std::string_view detail, const http::RequestHead& head) {
    queue(std::make_shared<AdminAnswer>(admin_problem(status, detail)), head, false);
}

void AdminConnection::queue(Answer answer, const http::RequestHead& head, bool keep_alive) {
    keep_alive_ = keep_alive;
    has_answered_ = true;
    output_head_ = written_head(*answer, {.client_version = head.version,
                                          .keep_alive = keep_alive,
                                          .body = {},
                                          .request_id = {},
                                          .date = listener_.date()});
    body_bytes_ = head.method == http::Method::head ? 0 : answer->body.size();
    output_ = std::move(answer);
    written_ = 0;
    state_ = State::writing;
    timer_.arm(loop_.now() + kForAnswer);
    write();
}

std::array<iovec, 2> AdminConnection::unwritten() {
    const size_t of_head = std::min(written_, output_head_.size());
    const size_t of_body = written_ - of_head;
    // The system's interface takes what it only reads as if it were to be written.
    auto* body = const_cast<char*>(output_->body.data());
    return {iovec{.iov_base = output_head_.data() + of_head, .iov_len = output_head_.size() - of_head},
            iovec{.iov_base = body + of_body, .iov_len = body_bytes_ - of_body}};
}

void AdminConnection::write() {
    while (written_ < output_head_.size() + body_bytes_) {
        const net::IoResult sent = stream_.write(unwritten());
        if (sent.status == net::IoStatus::again) return;
        if (sent.status != net::IoStatus::ok) return close();
        written_ += sent.bytes;
    }
    output_head_ = {};
    output_.reset();
    if (!keep_alive_) {
        stream_.shut_write();
        state_ = State::lingering;
        timer_.arm(loop_.now() + proxy::kLinger);
        return linger();
    }
    state_ = State::reading;
    timer_.arm(loop_.now() + (input_.empty() ? kIdle : kForHead));
    if (!input_.empty() || stream_.readable()) task_.post();
}

void AdminConnection::linger() {
    std::array<char, kReadBytes> room;
    if (!proxy::goes_on_lingering(stream_, room)) close();
}

void AdminConnection::close() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    timer_.disarm();
    task_.withdraw();
    stream_.close();
    listener_.remove(*this);
}

}  // namespace weir::app
