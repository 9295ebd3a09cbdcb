// A keyed hash for tables whose keys strangers choose: without the seed nobody can aim two keys at one place.
// Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

/// Secret, drawn once a process.
struct HashSeed {
    uint64_t k0 = 0;
    uint64_t k1 = 0;

    /// From the kernel. Ends the process where the kernel has none to give: a guessable seed is worse.
    static HashSeed random();
};

namespace siphash_detail {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

struct State {
    uint64_t v0, v1, v2, v3;

    explicit State(const HashSeed& seed)
        : v0(seed.k0 ^ 0x736f6d6570736575U),
          v1(seed.k1 ^ 0x646f72616e646f6dU),
          v2(seed.k0 ^ 0x6c7967656e657261U),
          v3(seed.k1 ^ 0x7465646279746573U) {}

    void mix() {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32) + v3;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }
};

}  // namespace siphash_detail

/// SipHash-c-d of the bytes. Use siphash13: one round a word and three at the end are what tables need.
template <int kWordRounds, int kFinalRounds>
[[nodiscard]] uint64_t siphash(const HashSeed& seed, std::string_view bytes) {
    siphash_detail::State state(seed);
    const auto absorb = [&](uint64_t word) {
        state.v3 ^= word;
        for (int round = 0; round < kWordRounds; ++round) state.mix();
        state.v0 ^= word;
    };
    const char* at = bytes.data();
    uint64_t word = 0;
    size_t left = bytes.size();
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        std::memcpy(&word, at, sizeof word);
        absorb(word);
    }
    word = 0;
    if (left != 0) std::memcpy(&word, at, left);
    absorb(word | uint64_t{bytes.size()} << 56U);
    state.v2 ^= 0xff;
    for (int round = 0; round < kFinalRounds; ++round) state.mix();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

[[nodiscard]] inline uint64_t siphash13(const HashSeed& seed, std::string_view bytes) {
    return siphash<1, 3>(seed, bytes);
}

}  // namespace weir
