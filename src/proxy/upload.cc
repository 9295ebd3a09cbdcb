#include "proxy/upload.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "http/chunk_decoder.h"
#include "proxy/upstream_conn.h"

namespace weir::proxy {

namespace {
constexpr size_t kMaxPieces = 16;
}

void Upload::write_head(size_t used, const http::RequestHead& head, const http::RequestFacts& facts) {
    size_t bound =
        http::request_head_bound(head, facts) + kMaxOwnLines + http::kMaxFraming + http::kMaxChunkHead;
    if (used + bound > raw_.capacity()) {
        own_head_ = blocks_.take(bound);
        used = 0;
    }
    wire_ = (own_head_ ? own_head_ : raw_).bytes();
    head_begin_ = head_sent_ = used;
    head_end_ = used + http::write_request_head(head, facts, wire_ + used);
    method_ = head.method;
}

size_t Upload::add_line(std::string_view line, size_t mutable_bytes) {
    assert(!sealed_);
    head_end_ += line.copy(wire_ + head_end_, line.size());
    size_t at = head_end_ - mutable_bytes;
    wire_[head_end_++] = '\r';
    wire_[head_end_++] = '\n';
    return at;
}

void Upload::add(std::string_view payload) {
    if (payload.empty()) return;  // as a chunk it would be the last one
    payload_bytes_ += payload.size();
    if (sealed_ && chunked_) return frame(payload);
    body_.append(payload);
}

void Upload::frame(std::string_view payload) {
    char size[http::kMaxChunkHead];
    body_.append({size, http::write_chunk_head(payload.size(), size)});
    body_.append(payload);
    body_.append("\r\n");
}

void Upload::end(std::string_view trailers) {
    ended_ = true;
    if (!sealed_) {
        trailers_ = trailers;
    } else if (chunked_) {
        body_.append("0\r\n");
        body_.append(trailers);
        body_.append("\r\n");
    }
}

void Upload::seal(const http::Body& announced) {
    assert(!sealed_);
    sealed_ = true;
    keeps_all_ = ended_;
    http::Body body = announced;
    if (announced.framing == http::Framing::chunked && ended_ && trailers_.empty())
        body = {.framing = http::Framing::length, .length = payload_bytes_};
    chunked_ = body.framing == http::Framing::chunked;
    char* out = wire_;
    head_end_ += http::write_request_framing(method_, body, out + head_end_);
    if (!chunked_) return;
    if (payload_bytes_ > 0) {
        head_end_ += http::write_chunk_head(payload_bytes_, out + head_end_);
        body_.append("\r\n");
    }
    if (ended_) end(trailers_);
}

void Upload::send(UpstreamConn& conn) {
    while (waiting_bytes() > 0) {
        std::array<iovec, kMaxPieces> pieces;
        size_t count = 0;
        if (head_sent_ < head_end_)
            pieces[count++] = {.iov_base = wire_ + head_sent_, .iov_len = head_end_ - head_sent_};
        if (body_.size() > body_sent_) count += body_.gather(std::span(pieces).subspan(count), body_sent_);
        auto result = conn.write({pieces.data(), count});
        take_sent(result.bytes);
        if (!conn.writable()) return;
    }
}

void Upload::take_sent(size_t bytes) {
    size_t of_head = std::min(bytes, head_end_ - head_sent_);
    head_sent_ += of_head;
    bytes -= of_head;
    body_sent_ += bytes;
    if (keeps_all_ || body_sent_ == 0) return;
    body_.consume(body_sent_);
    body_sent_ = 0;
    nothing_dropped_ = false;
}

void Upload::add_and_send(std::string_view payload, UpstreamConn& conn) {
    if (chunked_ || waiting_bytes() > 0 || !conn.writable()) {
        add(payload);
        return send(conn);
    }
    payload_bytes_ += payload.size();
    iovec piece{.iov_base = const_cast<char*>(payload.data()), .iov_len = payload.size()};
    auto result = conn.write({&piece, 1});
    nothing_dropped_ = nothing_dropped_ && result.bytes == 0;
    body_.append(payload.substr(result.bytes));
}

void Upload::rewind() {
    assert(nothing_dropped_);
    head_sent_ = head_begin_;
    body_sent_ = 0;
}

void Upload::forget() {
    keeps_all_ = nothing_dropped_ = false;
    body_.consume(body_sent_);
    body_sent_ = 0;
}

void Upload::drop_body() {
    body_.clear();
    body_sent_ = 0;
    nothing_dropped_ = false;
}

}  // namespace weir::proxy
