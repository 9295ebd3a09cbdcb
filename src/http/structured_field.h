// Writes Structured Field values (RFC 9651, 4.1), as far as weir sends any: lists of strings with integer
// parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/out.h"

namespace weir::http {

/// The greatest Integer (RFC 9651, 3.3.1); the least is its negative.
inline constexpr int64_t kMaxSfInteger = 999'999'999'999'999;

/// The most bytes a String of `size` bytes takes, quoted and escaped.
constexpr size_t sf_string_bound(size_t size) { return 2 * size + 2; }
/// The most bytes a parameter takes.
constexpr size_t sf_parameter_bound(std::string_view key) {
    constexpr size_t kSignAndDigits = 16;
    return key.size() + kSignAndDigits + 2;
}
/// What separates two members.
inline constexpr std::string_view kSfSeparator = ", ";

/// Writes one List into memory whose size the caller has made sure of.
class SfListWriter {
  public:
    explicit SfListWriter(char* begin) : out_(begin) {}

    /// Begins the next member: a String. A byte that no String can hold, because it is not printable ASCII,
    /// is written as "?".
    void string(std::string_view text);
    /// Of the member begun last. `key` is lower-case letters, digits, "_", "-", ".", "*", and begins with a
    /// letter or "*". A value beyond an Integer's range is written as the nearest one in it.
    void parameter(std::string_view key, int64_t value);

    [[nodiscard]] size_t size() const { return out_.size(); }

  private:
    Out out_;
};

}  // namespace weir::http
