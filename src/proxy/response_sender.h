// A response on its way to an HTTP/1.1 client: head, body and end are gathered and leave in one system call;
// what the socket does not take waits in a queue.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_queue.h"
#include "http/head_parser.h"
#include "http/head_writer.h"
#include "net/stream.h"

namespace weir::proxy {

/// The pieces of one write, shared by all connections of a worker: used between the first piece and flush(),
/// never longer.
class Gather {
  public:
    static constexpr size_t kMaxPieces = 64;
    static constexpr size_t kScratchBytes = http::kMaxResponseHeadBytes + 8192;

    /// Bytes that outlive the flush.
    void add(std::string_view bytes) { pieces_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()}; }
    /// The same, copied: a small piece costs less as part of its neighbour than as one of its own.
    void add_copy(std::string_view bytes) { commit(bytes.copy(reserve(), bytes.size())); }
    /// Room for at most `bytes` to be written; commit() makes a piece of what was.
    char* reserve() { return scratch_.data() + used_; }
    void commit(size_t bytes);
    [[nodiscard]] bool has_room(size_t pieces, size_t bytes) const {
        return count_ + pieces <= kMaxPieces && used_ + bytes <= kScratchBytes;
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::span<const iovec> pieces() const { return {pieces_.data(), count_}; }
    void clear() { count_ = used_ = 0; }

  private:
    std::array<iovec, kMaxPieces> pieces_;
    size_t count_ = 0;
    size_t used_ = 0;
    std::array<char, kScratchBytes> scratch_;
};

/// One a connection. An idle one holds no block.
class ResponseSender {
  public:
    ResponseSender(net::Stream& stream, Gather& gather, BlockPool& blocks)
        : stream_(stream), gather_(gather), waiting_(blocks) {}

    void interim(const http::ResponseHead&);
    void raw(std::string_view text);
    void head(const http::ResponseHead&, const http::ResponseFacts&);
    void body(std::string_view payload);
    void end(std::string_view trailers);

    /// Sends what was gathered and what waits. `failed` where the client is gone.
    net::IoStatus flush();
    [[nodiscard]] size_t waiting_bytes() const { return waiting_.size(); }
    void clear();

  private:
    void make_room(size_t pieces, size_t bytes);
    net::IoStatus write_gathered();
    net::IoStatus write_waiting();

    net::Stream& stream_;
    Gather& gather_;
    ByteQueue waiting_;
    bool chunked_ = false;
};

}  // namespace weir::proxy
