// Finds where a head ends, before it is parsed; incremental, so that a head in many pieces costs no more than
// one.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::http {

/// The state of one search, kept between reads of the same head.
struct HeadScan {
    size_t looked_at = 0;   ///< bytes already searched
    size_t line_start = 0;  ///< where the current line begins
};

enum class ScanResult : unsigned char {
    incomplete,
    complete,  ///< `HeadScan::looked_at` is the length of the head, with the empty line that ends it
    bare_lf,   ///< a LF without its CR: nobody may guess what that means (RFC 9112, 2.2 allows to; weir does
               ///< not)
};

/// `bytes` is all that has arrived of the head so far, from its first byte on. Searches by 32 bytes at a time
/// with AVX2 where the processor has it; scan_head_scalar is its plain twin, which a test compares with it.
ScanResult scan_head(std::string_view bytes, HeadScan& scan);
ScanResult scan_head_scalar(std::string_view bytes, HeadScan& scan);
[[nodiscard]] bool scan_uses_avx2();

}  // namespace weir::http
