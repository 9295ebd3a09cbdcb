#include "policy/address_set.h"

#include <algorithm>

namespace weir::policy {
namespace {

IpBytes last_of(const config::Cidr& block) {
    IpBytes last = block.address;
    for (size_t bit = block.prefix_bits; bit < 8 * last.size(); ++bit)
        last[bit / 8] = static_cast<uint8_t>(last[bit / 8] | (0x80U >> (bit % 8)));
    return last;
}

}  // namespace

AddressSet::AddressSet(std::span<const config::Cidr> blocks) {
    for (const config::Cidr& block : blocks)
        ranges_.push_back({.first = block.address, .last = last_of(block)});
    // Two blocks are apart, or one lies within the other: the wider one comes first and takes the rest in.
    std::ranges::sort(ranges_, [](const Range& a, const Range& b) {
        return a.first != b.first ? a.first < b.first : b.last < a.last;
    });
    const auto is_taken_in = [](const Range& wide, const Range& narrow) { return narrow.last <= wide.last; };
    ranges_.erase(std::unique(ranges_.begin(), ranges_.end(), is_taken_in), ranges_.end());
}

bool AddressSet::contains(const IpBytes& address) const {
    const auto behind = std::ranges::upper_bound(ranges_, address, {}, &Range::first);
    return behind != ranges_.begin() && address <= std::prev(behind)->last;
}

}  // namespace weir::policy
