#include "proxy/client_h2.h"

#include <algorithm>
#include <utility>

#include "proxy/client_set.h"
#include "proxy/linger.h"
#include "proxy/routing.h"

namespace weir::proxy {

using http::H2Error;
using http::H2Frame;
using policy::Flood;

namespace {

/// How long a client may take to hear that it should open no more streams.
constexpr Duration kNotice = std::chrono::seconds(1);
/// A field section this many times as long as what is let in is no mistake. Up to there it is answered.
constexpr size_t kMostOfFields = 4;

http::H2Session::Limits session_limits(const config::Limits& limits) {
    return {.streams = ClientH2::kMaxStreams,
            .stream_window = ClientH2::kStreamWindow,
            .connection_window = ClientH2::kConnectionWindow,
            .list_bytes = static_cast<uint32_t>(limits.header_bytes)};
}

}  // namespace

ClientH2::ClientH2(Kit& kit, ClientSet& set, net::Stream& former, Origin origin)
    : kit_(kit),
      set_(set),
      stream_(kit.loop, former, *this),
      timer_(kit.loop.timers(), &ClientH2::on_timer, this),
      task_(kit.loop, &ClientH2::on_task, this),
      sender_(stream_, kit.gather, kit.blocks),
      seat_(std::move(origin.seat)),
      entrance_(std::move(origin.entrance)),
      address_length_(seat_.peer().write(address_)),
      created_(kit.loop.now()),
      idle_since_(created_),
      session_(*this, session_limits(kit.settings().limits)) {}

void ClientH2::start(std::string_view bytes) {
    take(bytes);
    if (kit_.draining) drain();
    wake();
    arm();
}

ClientFacts ClientH2::facts() const {
    return {.address = {address_, address_length_},
            .ip = seat_.peer(),
            .scheme = stream_.tls() == nullptr ? "http" : "https",
            .entrance = entrance_.get(),
            .tls = stream_.tls()};
}

uint64_t ClientH2::acknowledged_bytes() const {
    const uint64_t accepted = accepted_bytes();
    return accepted - std::min(accepted, stream_.unacknowledged_bytes());
}

void ClientH2::on_ready() {
    if (phase_ == Phase::lingering) return linger();
    if (stream_.readable() && !read()) return;
    wake();
}

// ---- reading

/// False: the connection is gone.
bool ClientH2::read() {
    auto got = stream_.read(kit_.read_room());
    switch (got.status) {
        case net::IoStatus::again: return true;
        case net::IoStatus::closed:
        case net::IoStatus::failed: return gone(), false;
        case net::IoStatus::ok: break;
    }
    take({kit_.slab.data(), got.bytes});
    // With requests under way nothing more is owed, and whoever leaves then is noticed as under HTTP/1.1.
    if (!streams_.empty()) stream_.settle();
    return true;
}

void ClientH2::take(std::string_view bytes) {
    switch (session_.receive(bytes)) {
        case http::H2Session::Received::fine: return;
        case http::H2Session::Received::flooded: return calm(Flood::unread);
        case http::H2Session::Received::broken: return session_.end(H2Error::protocol_error);
    }
}

void ClientH2::on_frame(H2Frame kind) {
    // Only continuations can follow a section that has not ended.
    if (kind != H2Frame::continuation) section_since_ = kNever;
    switch (kind) {
        case H2Frame::data: return note_progress();
        case H2Frame::headers: return guard_.begin_section();
        case H2Frame::rst_stream:
        case H2Frame::faulty: return note(Flood::resets);
        case H2Frame::empty_data: return note(Flood::empty_data);
        case H2Frame::continuation: return note(Flood::continuations);
        case H2Frame::priority:
        case H2Frame::settings:
        case H2Frame::ping:
        case H2Frame::window_update:
        case H2Frame::other: return note(Flood::control);
    }
}

void ClientH2::note(Flood kind) {
    if (!guard_.admit(kind, kit_.loop.now())) calm(kind);
}

/// RFC 9113, 10.5.
void ClientH2::calm(Flood kind) {
    if (is_given_up()) return;
    kit_.metrics->note_flood(kind);
    set_.notice_flood(seat_.peer(), kind);
    session_.end(H2Error::enhance_your_calm);
    phase_ = Phase::ending;
    end_by_ = kit_.loop.now() + kLinger;
}

void ClientH2::on_section(http::H2Session::Stream* stream) {
    section_since_ = kit_.loop.now();
    fields_.begin(stream == nullptr ? http::H2Fields::Kind::request : http::H2Fields::Kind::trailers,
                  head_limits(kit_.settings().limits));
}

void ClientH2::on_section_end() { section_since_ = kNever; }

void ClientH2::on_field(std::string_view name, std::string_view value) {
    fields_.add(name, value);
    if (fields_.list_bytes() > kMostOfFields * kit_.settings().limits.header_bytes) calm(Flood::fields);
}

http::H2Session::Stream* ClientH2::on_request(StreamId id, bool is_end) {
    if (is_given_up()) return nullptr;
    note_progress();
    if (phase_ == Phase::unheard) {
        phase_ = Phase::open;
        if (kit_.draining) give_notice();
    }
    streams_.push_back(kit_.h2_streams.make(kit_, *this, id));
    H2Stream& stream = *streams_.back();
    stream.slot = streams_.size() - 1;
    if (auto fault = fields_.end()) {
        reject(stream, *fault);
        return &stream;
    }
    const size_t size = fields_.head_bytes();
    Block block = Upload::take_block(kit_.blocks, size);
    fields_.write_head(block.bytes());
    http::RequestHead& parsed = kit_.request_scratch;
    auto fault =
        http::parse_h2_head({block.bytes(), size}, !is_end, head_limits(kit_.settings().limits), parsed);
    if (!fault) {
        stream.begin(parsed, std::move(block), size, is_end);
    } else {
        stream.reject(*fault, parsed, std::move(block));
    }
    return &stream;
}

/// No head could be made of it: what there is goes to the log.
void ClientH2::reject(H2Stream& stream, const http::HeadFault& fault) {
    const std::string_view method = fields_.method();
    const std::string_view path = fields_.path();
    Block block = kit_.blocks.take(method.size() + path.size());
    http::RequestHead& head = kit_.blank_request();
    head.version = http::Version::http2;
    head.method = http::method_of(method);
    head.method_name = {block.bytes(), method.copy(block.bytes(), method.size())};
    head.target = {block.bytes() + method.size(), path.copy(block.bytes() + method.size(), path.size())};
    stream.reject(fault, head, std::move(block));
}

void ClientH2::on_ping_answered() {
    if (phase_ == Phase::noticed) end_gently();
}

// ---- what was put off until the batch of events was handled

void ClientH2::wake() {
    if (round_ == Round::none) {
        task_.post();
    } else {
        round_ = Round::not_the_last;
    }
}

void ClientH2::come_back_for(H2Stream& stream) {
    wake();
    if (std::exchange(stream.is_due, true)) return;
    due_.push_back(&stream);
}

void ClientH2::work() {
    if (phase_ == Phase::lingering) return;
    // The rest of a large read.
    const bool is_behind = stream_.readable();
    if (is_behind && !read()) return;
    do {
        round_ = Round::under_way;
        if (!work_once()) return;
    } while (round_ == Round::not_the_last);
    round_ = Round::none;
    if (session_.has_ended() && sender_.waiting_bytes() == 0) return finish();
    if (is_behind && stream_.readable()) wake();
    arm();
}

/// False: the connection is gone.
bool ClientH2::work_once() {
    for (size_t at = 0; at < due_.size(); ++at) due_[at]->feed();
    if (!flush()) return false;
    visit_due();
    reap();
    return true;
}

void ClientH2::write(std::string_view bytes) {
    written_ += bytes.size();
    sender_.raw(bytes);
}

bool ClientH2::is_full() const {
    return sender_.waiting_bytes() > 0 ||
           !kit_.gather.has_room(1, http::H2Session::kFrameHead + http::H2Session::kMaxFrame);
}

/// False: the connection is gone.
bool ClientH2::flush() {
    if (sender_.flush() == net::IoStatus::failed) return gone(), false;
    while (sender_.waiting_bytes() == 0 && session_.wants_write()) {
        const uint64_t before = written_;
        session_.produce(*this);
        if (written_ == before) break;
        if (sender_.flush() == net::IoStatus::failed) return gone(), false;
    }
    return true;
}

void ClientH2::visit_due() {
    size_t kept = 0;
    for (size_t at = 0; at < due_.size(); ++at) {
        H2Stream* stream = due_[at];
        stream->is_due = stream->after_write();
        if (stream->is_due) due_[kept++] = stream;
    }
    due_.resize(kept);
}

void ClientH2::reap() {
    size_t kept = 0;
    for (H2Stream* stream : due_) {
        if (stream->is_over()) {
            end_stream(*stream);
        } else {
            due_[kept++] = stream;
        }
    }
    due_.resize(kept);
}

void ClientH2::end_stream(H2Stream& stream) {
    stream.close();
    const size_t place = stream.slot;
    std::swap(streams_[place], streams_.back());
    streams_[place]->slot = place;
    streams_.pop_back();
    idle_since_ = kit_.loop.now();
}

// ---- time

void ClientH2::arm() {
    const config::Timeout& bounds = kit_.settings().timeout;
    Time next = end_by_;
    if (!session_.has_begun()) next = std::min(next, created_ + bounds.header);
    if (section_since_ != kNever) next = std::min(next, section_since_ + bounds.header);
    if (streams_.empty()) next = std::min(next, idle_since_ + bounds.keepalive);
    timer_.arm(next);
}

void ClientH2::on_timer(void* client, Time now) {
    auto& self = *static_cast<ClientH2*>(client);
    const config::Timeout& bounds = self.kit_.settings().timeout;
    const bool has_no_preface = !self.session_.has_begun() && now >= self.created_ + bounds.header;
    if (self.phase_ == Phase::lingering || has_no_preface) return self.gone();
    if (self.phase_ == Phase::unheard && now >= self.end_by_) {
        self.give_notice();
    } else if (self.phase_ == Phase::noticed && now >= self.end_by_) {
        self.end_gently();
    } else if (now >= self.end_by_) {
        return self.gone();
    } else if (self.section_since_ != kNever && now >= self.section_since_ + bounds.header) {
        self.calm(Flood::slow_fields);
    } else if (self.streams_.empty() && now >= self.idle_since_ + bounds.keepalive) {
        self.session_.end(H2Error::no_error);
        self.phase_ = Phase::ending;
        self.end_by_ = now + kLinger;
    }
    self.wake();
    self.arm();
}

// ---- ending

void ClientH2::drain() {
    if (phase_ == Phase::open) return give_notice();
    if (phase_ != Phase::unheard || end_by_ != kNever) return;
    end_by_ = kit_.loop.now() + kFirstWords;
    arm();
}

/// RFC 9113, 6.8: a client whose requests are on their way while it is told so loses none.
void ClientH2::give_notice() {
    session_.announce_end();
    phase_ = Phase::noticed;
    end_by_ = kit_.loop.now() + kNotice;
    wake();
    arm();
}

void ClientH2::end_gently() {
    session_.refuse_streams();
    phase_ = Phase::ending;
    end_by_ = kNever;
    wake();
}

/// The session is over; streams that it knew no more of are lost.
void ClientH2::finish() {
    end_streams();
    stream_.shut_write();
    phase_ = Phase::lingering;
    timer_.arm(kit_.loop.now() + kLinger);
    linger();
}

void ClientH2::linger() {
    if (!goes_on_lingering(stream_, kit_.slab)) destroy();
}

void ClientH2::end_streams() {
    while (!streams_.empty()) {
        streams_.back()->lose();
        end_stream(*streams_.back());
    }
    due_.clear();
}

void ClientH2::gone() {
    end_streams();
    destroy();
}

void ClientH2::shut() { gone(); }

void ClientH2::destroy() {
    timer_.disarm();
    task_.withdraw();
    sender_.clear();
    stream_.close();
    set_.remove(*this);
}

}  // namespace weir::proxy
