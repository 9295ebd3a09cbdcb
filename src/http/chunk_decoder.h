// Takes the chunked coding off a body (RFC 9112, 7.1), strictly, in pieces of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/head_parser.h"
#include "http/message.h"

namespace weir::http {

/// One body. Feed it what arrived until it is done or has failed. Holds no payload; holds the trailer section
/// (at most kMaxTrailerBytes) in a string that stays empty for nearly every body.
///
/// Refused: anything but 1-16 hex digits for a size, a size past 2^62, a bare LF or CR, white space before or
/// after the size (BWS included), control bytes in an extension, extensions past kMaxExtensionBytes in one
/// chunk, a chunk whose data is not followed by CRLF, an invalid trailer field. The fault's reason is
/// bad_request; a caller that reads a response reports it as its own.
class ChunkDecoder {
  public:
    static constexpr size_t kMaxExtensionBytes = 256;
    static constexpr size_t kMaxTrailerBytes = 8192;

    struct Step {
        size_t consumed = 0;       ///< bytes of the input that are dealt with
        std::string_view payload;  ///< a view into the input; may be empty
    };

    /// Goes on until it has a piece of payload, the input is used up, the body is done or a fault is found.
    Step next(std::string_view input);

    [[nodiscard]] bool done() const { return state_ == State::done; }
    [[nodiscard]] bool failed() const { return state_ == State::failed; }
    [[nodiscard]] const HeadFault& fault() const {
        return fault_;
    }  ///< offset: bytes from the start of the body
    /// The trailer section's field lines, each with its CRLF and without the final empty line, already
    /// checked; "" if none.
    [[nodiscard]] std::string_view trailers() const { return trailers_; }

  private:
    enum class State : uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer, done, failed };

    void take(char byte);
    void take_size(char byte);
    void take_extension(char byte);
    void begin_chunk();
    size_t take_trailer(std::string_view input);
    void expect(char byte, char wanted, State next);
    void fail(const char* detail, uint64_t offset);

    State state_ = State::size;
    uint8_t digits_ = 0;
    uint16_t extension_ = 0;
    uint64_t left_ = 0;           ///< of the chunk's data, or the size as far as it was read
    uint64_t position_ = 0;       ///< bytes of the body dealt with
    uint64_t trailer_start_ = 0;  ///< where in the body the trailer section begins
    size_t trailer_line_ = 0;     ///< where in trailers_ the current line begins
    std::string trailers_;
    HeadFault fault_;
};

/// Splits a checked trailer section into fields. Those that may not be sent as trailers (RFC 9110, 6.5.1:
/// framing, routing, authentication, and those weir owns) are left out.
std::vector<Field> parse_trailers(std::string_view section);

/// The section without the fields that parse_trailers leaves out; "" where none remains.
std::string passable_trailers(std::string_view section);

/// Writes "<hex>\r\n" for a chunk of `size` bytes; returns its length. `out` has room for kMaxChunkHead.
inline constexpr size_t kMaxChunkHead = 18;
size_t write_chunk_head(uint64_t size, char* out);

}  // namespace weir::http
