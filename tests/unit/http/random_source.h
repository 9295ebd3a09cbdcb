// Random input for property tests; the seed is shown when a check fails.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace weir::http {

class RandomSource {
  public:
    /// WEIR_TEST_SEED repeats a run.
    RandomSource() : seed_(choose_seed()), engine_(seed_) {}

    [[nodiscard]] uint64_t seed() const { return seed_; }
    size_t below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(engine_); }
    bool one_in(size_t n) { return below(n) == 0; }
    char byte() { return static_cast<char>(below(256)); }
    char one_of(std::string_view set) { return set[below(set.size())]; }

    std::string text(size_t max_size, std::string_view set) {
        std::string out(below(max_size + 1), ' ');
        for (char& c : out) c = one_of(set);
        return out;
    }

    /// One to three random edits: a byte changed, dropped, doubled or put in.
    std::string mutated(std::string text) {
        for (size_t edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
            const size_t at = below(text.size());
            const char fresh = one_in(2) ? byte() : one_of("\r\n \t:;,/0\x7f");
            switch (below(4)) {
                case 0: text[at] = fresh; break;
                case 1: text.erase(at, 1 + below(3)); break;
                case 2: text.insert(at, 1, text[at]); break;
                default: text.insert(at, 1, fresh); break;
            }
        }
        return text;
    }

  private:
    static uint64_t choose_seed() {
        if (const char* given = std::getenv("WEIR_TEST_SEED")) return std::strtoull(given, nullptr, 10);
        return std::random_device()();
    }

    uint64_t seed_;
    std::mt19937_64 engine_;
};

}  // namespace weir::http
