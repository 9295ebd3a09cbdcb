#include "net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <memory>

namespace weir::net {

Resolution resolve(const Endpoint& endpoint) {
    if (auto literal = SocketAddress::literal(endpoint)) return {.addresses = {*literal}, .error = {}};
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int status = getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found);
    if (status != 0) return {.addresses = {}, .error = gai_strerror(status)};
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
    Resolution made;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        SocketAddress address(each->ai_addr, each->ai_addrlen);
        if (std::find(made.addresses.begin(), made.addresses.end(), address) == made.addresses.end())
            made.addresses.push_back(address);
    }
    return made;
}

Resolver::Resolver(std::vector<Endpoint> endpoints, OnResolved on_resolved)
    : endpoints_(std::move(endpoints)), on_resolved_(std::move(on_resolved)), thread_([this] { run(); }) {}

Resolver::~Resolver() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Resolver::ask_again() {
    {
        std::lock_guard lock(mutex_);
        asked_ = true;
    }
    wake_.notify_one();
}

void Resolver::run() {
    bool first = true;
    do {
        for (size_t index = 0; index < endpoints_.size(); ++index) {
            bool needs_look_up = !SocketAddress::literal(endpoints_[index]);
            if (first || needs_look_up) on_resolved_(index, resolve(endpoints_[index]));
        }
        first = false;
    } while (wait_for_next_round());
}

bool Resolver::wait_for_next_round() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kMinGap, [this] { return stop_; });
    wake_.wait_for(lock, kPeriod - kMinGap, [this] { return stop_ || asked_; });
    asked_ = false;
    return !stop_;
}

}  // namespace weir::net
