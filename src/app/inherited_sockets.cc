#include "app/inherited_sockets.h"

#include <algorithm>

namespace weir::app {

namespace {

/// What the kernel may call the address, as SocketAddress::text() writes it.
std::vector<std::string> names_of(const Endpoint& address) {
    if (address.is_unix()) return {to_string(address)};
    std::vector<std::string> hosts{address.host};
    if (address.host.empty()) hosts = {"::", "0.0.0.0"};
    if (address.host == "localhost") hosts = {"127.0.0.1"};
    std::vector<std::string> names;
    for (const std::string& host : hosts) {
        const auto literal = net::SocketAddress::literal({.host = host, .port = address.port, .path = {}});
        if (literal) names.push_back(literal->text());
    }
    return names;
}

}  // namespace

std::optional<net::Fd> InheritedSockets::claim(const Endpoint& address) {
    for (const std::string& name : names_of(address)) {
        const auto found = std::find_if(sockets_.begin(), sockets_.end(), [&](const net::Fd& socket) {
            return net::SocketAddress::local_of(socket).text() == name;
        });
        if (found == sockets_.end()) continue;
        net::Fd claimed = std::move(*found);
        sockets_.erase(found);
        net::adopt_listener(claimed);
        return claimed;
    }
    return std::nullopt;
}

std::vector<std::string> InheritedSockets::unclaimed() const {
    std::vector<std::string> names;
    for (const net::Fd& socket : sockets_) names.push_back(net::SocketAddress::local_of(socket).text());
    return names;
}

}  // namespace weir::app
