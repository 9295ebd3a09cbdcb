// Who a client is, and whom to believe about it: `header:X-Api-Key`, `10.0.0.0/8`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "config/units.h"

namespace weir::config {

/// `header:NAME`, `cookie:NAME`, or one of `words`, which are among the names of the other kinds.
Result<KeyPart, Wrong> parse_key_part(std::string_view text, std::span<const std::string_view> words);

/// "ip and header:x-api-key".
std::string format_key(const Key& key);

/// An address, or a block in which no bit behind the prefix is set.
Result<Cidr, Wrong> parse_cidr(std::string_view text);

/// Whether it is every address of a family, or of both.
[[nodiscard]] bool is_everyone(const Cidr& cidr);

}  // namespace weir::config
