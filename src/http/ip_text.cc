#include "http/ip_text.h"

#include <arpa/inet.h>

namespace weir::http {
namespace {

/// inet_pton wants a terminated text.
bool parse_address(int family, std::string_view text, void* out) {
    char terminated[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return false;
    terminated[text.copy(terminated, text.size())] = '\0';
    return inet_pton(family, terminated, out) == 1;
}

}  // namespace

std::optional<IpBytes> ipv4_of(std::string_view text) {
    IpBytes address{};
    address[10] = address[11] = 0xff;
    if (!parse_address(AF_INET, text, address.data() + 12)) return std::nullopt;
    return address;
}

std::optional<IpBytes> ipv6_of(std::string_view text) {
    IpBytes address{};
    if (!parse_address(AF_INET6, text, address.data())) return std::nullopt;
    return address;
}

}  // namespace weir::http
