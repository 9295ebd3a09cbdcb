// Reads one message body by whatever framing it has: the one place that knows how a body's end is found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/chunk_decoder.h"
#include "http/message.h"

namespace weir::http {

/// Feed it what arrived; it hands back views of the payload. Value type, reused by assignment.
class BodyReader {
  public:
    BodyReader() = default;  ///< of a message without a body: done
    explicit BodyReader(Body body) : body_(body), left_(body.length) {}

    /// As ChunkDecoder::next. With Framing::until_close all input is payload and the end is told by close().
    ChunkDecoder::Step next(std::string_view input);

    /// The sender closed its side. True where that is a proper end (until_close, or already done).
    bool close();

    [[nodiscard]] bool done() const;
    [[nodiscard]] bool failed() const { return body_.framing == Framing::chunked && chunks_.failed(); }
    [[nodiscard]] const HeadFault& fault() const { return chunks_.fault(); }
    [[nodiscard]] std::string_view trailers() const { return chunks_.trailers(); }
    [[nodiscard]] uint64_t payload_bytes() const { return payload_; }  ///< handed out so far
    [[nodiscard]] const Body& body() const { return body_; }

  private:
    Body body_;
    uint64_t left_ = 0;
    uint64_t payload_ = 0;
    bool closed_ = false;
    ChunkDecoder chunks_;
};

}  // namespace weir::http
