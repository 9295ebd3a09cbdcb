// An answer as the field lines of HTTP/2 (RFC 9113, 8.3.2): the same fields that head_writer.h writes for
// HTTP/1.1.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "http/h2_session.h"
#include "http/head_writer.h"
#include "http/message.h"

namespace weir::http {

/// Memory for one answer's lines at a time; they are valid until the next call, and as long as what they are
/// made of.
class H2Answer {
  public:
    std::span<const H2Line> head(const ResponseHead&, const ResponseFacts&);
    /// A 1xx.
    std::span<const H2Line> interim(const ResponseHead&);
    /// A section as ChunkDecoder::trailers() gives it.
    std::span<const H2Line> trailers(std::string_view section);

  private:
    void begin(uint16_t status);

    std::vector<H2Line> lines_;
    std::array<char, 3> status_;
    std::array<char, 20> length_;
};

}  // namespace weir::http
