#include "http/request_id.h"

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

void write_hex(uint64_t value, char* out) {
    for (int digit = 15; digit >= 0; --digit, value >>= 4) out[digit] = "0123456789abcdef"[value & 15];
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
