// A field section of HTTP/2 (RFC 9113, 8.1 to 8.3), written anew as the text of an HTTP/1.1 head or trailer
// section. So a request meets one parser, with one set of rules, whichever protocol brought it: what
// head_parser.h refuses is refused here too, and what the app is sent is written from the same views. What
// the text could hide (line ends inside a value, an upper-case name, a field of the connection) is refused
// before it is written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/head_parser.h"
#include "http/message.h"

namespace weir::http {

/// One connection's: there is never more than one section under way. Holds at most about
/// HeadLimits::head_bytes and uri_bytes; between sections next to nothing.
class H2Fields {
  public:
    enum class Kind : uint8_t { request, trailers };

    /// What one field counts beyond its name and value (RFC 9113, 6.5.2).
    static constexpr size_t kFieldOverhead = 32;

    void begin(Kind kind, const HeadLimits& limits);
    /// The next field, its name and value as HPACK had them. Once there is a fault nothing more is kept.
    void add(std::string_view name, std::string_view value);
    /// What is wrong with the section; call it behind the last field, once. bad_request stands for what RFC
    /// 9113, 8.1.1, calls malformed; trailers past ChunkDecoder::kMaxTrailerBytes and requests past the
    /// limits are header_too_large or uri_too_long.
    [[nodiscard]] MaybeFault end();

    /// As SETTINGS_MAX_HEADER_LIST_SIZE counts, also of fields that were not kept.
    [[nodiscard]] size_t list_bytes() const { return list_bytes_; }

    // ---- of a sound request
    [[nodiscard]] size_t head_bytes() const;
    /// Writes head_bytes() bytes: request line, Host, fields, one Cookie line (8.2.3) and the empty line.
    void write_head(char* out) const;

    // ---- of a request with a fault: as far as it was read, for the log
    [[nodiscard]] std::string_view method() const { return method_; }
    [[nodiscard]] std::string_view path() const { return path_; }

    /// Of sound trailers: the section's lines, as ChunkDecoder::trailers() gives them.
    [[nodiscard]] std::string_view trailers() const { return lines_; }

    /// Gives back the memory of an unusually large section.
    void clear();

  private:
    void add_pseudo(std::string_view name, std::string_view value);
    void add_regular(std::string_view name, std::string_view value);
    void add_host(std::string_view value);
    void keep_line(std::string_view name, std::string_view value);
    void conclude_request();
    void refuse(const char* detail, Reason reason = Reason::bad_request);

    Kind kind_ = Kind::request;
    HeadLimits limits_;
    size_t list_bytes_ = 0;
    MaybeFault fault_;
    bool has_regular_ = false;
    bool has_scheme_ = false;
    bool has_host_ = false;
    std::string method_;
    std::string path_;
    std::string authority_;
    std::string cookies_;
    std::string lines_;
};

/// Parses what write_head wrote, as parse_request_head does, into a head of Version::http2. `has_body`: DATA
/// frames or trailers follow. Without a Content-Length their end is told by the stream, so that such a body
/// counts as chunked. A Content-Length that cannot be true is refused.
MaybeFault parse_h2_head(std::string_view head, bool has_body, const HeadLimits& limits, RequestHead& out);

}  // namespace weir::http
