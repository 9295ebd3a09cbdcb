// IP addresses as text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

/// In network order; an IPv4 address as ::ffff:a.b.c.d, so that both ways to write it are one client.
using IpBytes = std::array<uint8_t, 16>;

/// As inet_pton reads them: without ports, brackets and zones, and without leading zeros in IPv4.
[[nodiscard]] std::optional<IpBytes> ipv4_of(std::string_view text);
[[nodiscard]] std::optional<IpBytes> ipv6_of(std::string_view text);

}  // namespace weir::http
