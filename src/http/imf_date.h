// "Sun, 06 Nov 1994 08:49:37 GMT": the Date field's form (RFC 9110, 5.6.7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace weir::http {

inline constexpr size_t kImfDateLength = 29;
/// Writes exactly kImfDateLength characters.
void write_imf_date(WallTime, char* out);

/// The same, formatted at most once a second. Thread: its owner's.
class DateCache {
  public:
    std::string_view at(WallTime now);  ///< valid until the next call

  private:
    int64_t second_ = INT64_MIN;  ///< that of text_; no time that WallTime can hold
    char text_[kImfDateLength] = {};
};

}  // namespace weir::http
