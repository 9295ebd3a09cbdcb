// A request on its way to the app: its head as weir wrote it and the part of its body that is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_queue.h"
#include "http/head_writer.h"
#include "http/message.h"
#include "net/stream.h"

namespace weir::proxy {

class UpstreamConn;

/// First the head is written, then body bytes are added while they are held, then seal() decides the framing,
/// then send() is called until everything is out. What was sent stays held while the whole body is (it may
/// have to be sent again); of a longer one only what waits is.
class Upload {
  public:
    /// For the head of a request, with room behind it for the same head as it is written for the app.
    [[nodiscard]] static Block take_block(BlockPool& blocks, size_t head_bytes) {
        constexpr size_t kAdded = 1024;
        return blocks.take(2 * head_bytes + kAdded);
    }

    explicit Upload(BlockPool& blocks) : blocks_(blocks), body_(blocks) {}

    /// Writes the head behind the first `used` bytes of the block that keep_raw took.
    void write_head(size_t used, const http::RequestHead&, const http::RequestFacts&);
    /// Takes over the block in which the request came; it lives as long as this does.
    void keep_raw(Block block) { raw_ = std::move(block); }
    /// One more field line of weir's own, without its CRLF: before seal(), and kMaxOwnLines bytes in all with
    /// their CRLFs.
    static constexpr size_t kMaxOwnLines = 128;
    /// Returns where its last `mutable_bytes` stand, for rewrite().
    size_t add_line(std::string_view line, size_t mutable_bytes = 0);
    /// Other bytes in their place, as many.
    void rewrite(size_t at, std::string_view bytes) { bytes.copy(wire_ + at, bytes.size()); }
    void add(std::string_view payload);
    /// The body is complete. `trailers` as in ChunkDecoder::trailers().
    void end(std::string_view trailers);
    /// Nothing else can be held: a body that has ended goes out with its length, whatever framing it came
    /// with (a WSGI app cannot read a chunked one), any other one as it was announced.
    void seal(const http::Body& announced);

    /// Writes as much as the connection takes. That it failed shows on the connection's reading side.
    void send(UpstreamConn&);
    /// The rest of a long body, past the held bytes where none wait: spares a copy.
    void add_and_send(std::string_view payload, UpstreamConn&);

    [[nodiscard]] bool all_sent() const { return ended_ && sealed_ && waiting_bytes() == 0; }
    [[nodiscard]] size_t waiting_bytes() const { return head_end_ - head_sent_ + body_.size() - body_sent_; }
    [[nodiscard]] size_t held_bytes() const { return body_.size(); }
    /// What holding it costs.
    [[nodiscard]] size_t memory() const { return raw_.capacity() + own_head_.capacity() + body_.size(); }
    [[nodiscard]] bool ended() const { return ended_; }
    /// Every byte is still there, from the first one on.
    [[nodiscard]] bool repeatable() const { return nothing_dropped_; }
    void rewind();
    /// Nobody will send it again.
    void forget();
    /// Nobody will send the rest either. The head's bytes stay: the log line needs them.
    void drop_body();

  private:
    void frame(std::string_view payload);
    void take_sent(size_t bytes);

    BlockPool& blocks_;
    Block raw_;       ///< the request as it came, and behind it the head as it goes out where there is room
    Block own_head_;  ///< the head as it goes out, where there is not
    char* wire_ = nullptr;  ///< of either
    size_t head_begin_ = 0;
    size_t head_end_ = 0;
    size_t head_sent_ = 0;
    ByteQueue body_;  ///< as it goes out once it is sealed; payload alone before
    size_t body_sent_ = 0;
    uint64_t payload_bytes_ = 0;
    http::Method method_ = http::Method::other;
    bool ended_ = false;
    bool sealed_ = false;
    bool chunked_ = false;
    bool keeps_all_ = false;  ///< the whole body was held when it was sealed
    bool nothing_dropped_ = true;
    std::string trailers_;
};

}  // namespace weir::proxy
