// What every target takes from its input besides the bytes: a way to fail, choices that depend on nothing
// else, and copies that end where their allocation ends, so that the address sanitizer sees every byte read
// past them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

namespace weir::fuzz {

/// A failed property ends the process in every build type; libFuzzer and the replay both expect that.
inline void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", property);
    std::abort();
}

inline std::string_view bytes_of(const uint8_t* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// An empty view lies everywhere.
inline bool lies_in(std::string_view part, std::string_view whole) {
    const std::less_equal<> not_behind;
    return part.empty() || (not_behind(whole.data(), part.data()) && not_behind(part.end(), whole.end()));
}

/// The same input makes the same choices, so a finding replays.
class Choices {
  public:
    explicit Choices(std::string_view input) {
        for (const char c : input) state_ = (state_ ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
    }
    /// 0 to bound - 1.
    size_t below(size_t bound) { return static_cast<size_t>(mixed() % bound); }
    bool coin() { return below(2) == 0; }

  private:
    uint64_t mixed() {  // splitmix64
        uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    uint64_t state_ = 0xcbf29ce484222325ULL;
};

class ExactCopy {
  public:
    explicit ExactCopy(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  private:
    std::vector<char> bytes_;  // built from a range it allocates no more than it holds
};

}  // namespace weir::fuzz
