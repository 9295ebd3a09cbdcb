#include "http/request_id.h"

#include <bit>
#include <cstring>

#include "http/char_class.h"

namespace weir::http {
namespace {

/// A bijection, so different counters give different ids; neighbours look nothing alike, so that ids cut
/// short in a log still differ. The constants are those of Stafford's variant 13 (as in SplitMix64).
uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

/// Eight digits at once: a byte for each nibble, then the byte's digit. The most significant one comes first.
uint64_t hex_digits(uint32_t value) {
    constexpr uint64_t kEach = 0x0101010101010101U;
    uint64_t nibbles = value;
    nibbles = (nibbles | nibbles << 16U) & 0x0000ffff0000ffffU;
    nibbles = (nibbles | nibbles << 8U) & 0x00ff00ff00ff00ffU;
    nibbles = (nibbles | nibbles << 4U) & 0x0f0f0f0f0f0f0f0fU;
    const uint64_t letters = ((nibbles + kEach * 6) >> 4U) & kEach;  // 1 from 10 on
    constexpr uint64_t kToLetters = 'a' - '0' - 10;
    static_assert(std::endian::native == std::endian::little, "the first digit is put lowest");
    return __builtin_bswap64(nibbles + kEach * '0' + letters * kToLetters);
}

void write_hex(uint64_t value, char* out) {
    const uint64_t digits[] = {hex_digits(static_cast<uint32_t>(value >> 32U)),
                               hex_digits(static_cast<uint32_t>(value))};
    std::memcpy(out, digits, sizeof digits);
}

}  // namespace

bool is_sane_request_id(std::string_view id) {
    constexpr size_t kMaxLength = 128;
    return !id.empty() && id.size() <= kMaxLength && all_are(id, kRequestId);
}

RequestIdSource::RequestIdSource(uint64_t seed_high, uint64_t seed_low)
    : high_(seed_high), counter_(seed_low) {}

std::array<char, RequestIdSource::kLength> RequestIdSource::next() {
    std::array<char, kLength> id;
    write_hex(high_, id.data());
    write_hex(mix(counter_++), id.data() + kLength / 2);
    return id;
}

}  // namespace weir::http
