// Blocks of addresses, and whether one of them holds an address.
#pragma once

#include <span>
#include <vector>

#include "config/settings.h"
#include "policy/key.h"

namespace weir::policy {

/// Immutable. Asking takes O(log n) steps and allocates nothing.
class AddressSet {
  public:
    AddressSet() = default;
    explicit AddressSet(std::span<const config::Cidr> blocks);

    [[nodiscard]] bool empty() const { return ranges_.empty(); }
    [[nodiscard]] bool contains(const IpBytes& address) const;

  private:
    /// Both ends included.
    struct Range {
        IpBytes first;
        IpBytes last;
    };
    std::vector<Range> ranges_;  ///< in order; no two overlap
};

}  // namespace weir::policy
