// The name of one request, across log, answer and app.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

/// 1 to 128 characters of A-Z a-z 0-9 and "-._~+/=:@": safe in a log, a header and a URL. A client's id that
/// is anything else is replaced.
[[nodiscard]] bool is_sane_request_id(std::string_view);

/// Makes ids of 32 lower-case hex digits: a random 64-bit prefix and a mixed counter. Unique, not secret.
/// Thread: its owner's. No allocation, no system call.
class RequestIdSource {
  public:
    static constexpr size_t kLength = 32;
    explicit RequestIdSource(uint64_t seed_high, uint64_t seed_low);
    std::array<char, kLength> next();

  private:
    uint64_t high_;
    uint64_t counter_;
};

}  // namespace weir::http
