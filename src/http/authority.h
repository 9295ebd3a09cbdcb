// host [":" port], as it stands in Host and in absolute-form targets (RFC 9110, 7.2; RFC 3986, 3.2).
#pragma once

#include <string_view>

namespace weir::http {

/// A registered name or IPv4 address, or an IPv6 address in brackets, then maybe a port of 1 to 5 digits up
/// to 65535. Userinfo, an empty host, an empty port (RFC 3986 allows it, but readers that split at the colon
/// stumble), a zone and IPvFuture are refused.
[[nodiscard]] bool is_valid_authority(std::string_view);

/// The host of an authority, without its port, where it is a name that DNS could know (letters, digits, "-",
/// "." and "_") or an address; "" where it is anything else: safe to be put into an URL.
[[nodiscard]] std::string_view plain_host_of(std::string_view authority);

}  // namespace weir::http
