#include "proxy/response_sender.h"

#include "http/chunk_decoder.h"

namespace weir::proxy {

namespace {
/// A payload up to this joins its head, so that both leave by send() instead of the dearer sendmsg().
constexpr size_t kCopiedBytes = 1024;
}  // namespace

void Gather::commit(size_t bytes) {
    // Neighbours in the scratch become one piece: a head and its first chunk's size, a chunk's end and the
    // next one's size.
    char* begin = scratch_.data() + used_;
    used_ += bytes;
    if (count_ > 0) {
        iovec& last = pieces_[count_ - 1];
        if (static_cast<char*>(last.iov_base) + last.iov_len == begin) {
            last.iov_len += bytes;
            return;
        }
    }
    add({begin, bytes});
}

void ResponseSender::make_room(size_t pieces, size_t bytes) {
    if (!gather_.has_room(pieces, bytes)) write_gathered();
}

void ResponseSender::raw(std::string_view text) {
    make_room(1, text.size());
    gather_.add_copy(text);
}

void ResponseSender::interim(const http::ResponseHead& head) {
    make_room(1, http::response_head_bound(head, {}));
    gather_.commit(http::write_interim_head(head, gather_.reserve()));
}

void ResponseSender::head(const http::ResponseHead& head, const http::ResponseFacts& facts) {
    chunked_ = facts.body.framing == http::Framing::chunked;
    make_room(1, http::response_head_bound(head, facts));
    gather_.commit(http::write_response_head(head, facts, gather_.reserve()));
}

void ResponseSender::body(std::string_view payload) {
    if (payload.empty()) return;  // as a chunk it would be the last one
    bool copies = payload.size() <= kCopiedBytes;
    make_room(3, http::kMaxChunkHead + kCopiedBytes + 2);
    if (chunked_) gather_.commit(http::write_chunk_head(payload.size(), gather_.reserve()));
    if (copies) {
        gather_.add_copy(payload);
    } else {
        gather_.add(payload);
    }
    if (chunked_) gather_.add_copy("\r\n");
}

void ResponseSender::end(std::string_view trailers) {
    if (!chunked_) return;
    chunked_ = false;
    raw("0\r\n");
    raw(trailers);
    raw("\r\n");
}

net::IoStatus ResponseSender::flush() {
    if (!gather_.empty()) return write_gathered();
    return waiting_.empty() ? net::IoStatus::ok : write_waiting();
}

net::IoStatus ResponseSender::write_gathered() {
    size_t sent = 0;
    auto status = net::IoStatus::ok;
    if (waiting_.empty() && stream_.writable()) {
        auto result = stream_.write(gather_.pieces());
        sent = result.bytes;
        status = result.status;
    }
    if (status != net::IoStatus::failed) {
        for (const iovec& piece : gather_.pieces()) {
            std::string_view bytes(static_cast<const char*>(piece.iov_base), piece.iov_len);
            size_t gone = std::min(sent, bytes.size());
            sent -= gone;
            if (gone < bytes.size()) waiting_.append(bytes.substr(gone));
        }
    }
    gather_.clear();
    return status;
}

net::IoStatus ResponseSender::write_waiting() {
    while (!waiting_.empty() && stream_.writable()) {
        std::array<iovec, 16> pieces;
        size_t count = waiting_.gather(pieces);
        auto result = stream_.write({pieces.data(), count});
        if (result.status == net::IoStatus::failed) return result.status;
        waiting_.consume(result.bytes);
    }
    return net::IoStatus::ok;
}

void ResponseSender::clear() {
    gather_.clear();
    waiting_.clear();
}

}  // namespace weir::proxy
