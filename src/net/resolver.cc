#include "net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

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

struct Resolver::State {
    State(std::vector<Endpoint> endpoints_, OnResolved on_resolved_)
        : endpoints(std::move(endpoints_)), on_resolved(std::move(on_resolved_)) {}

    /// False where the resolver is gone. The lock is held while telling, so that it cannot go meanwhile.
    bool tell(size_t index, const Resolution& found) {
        std::lock_guard lock(mutex);
        if (!stop) on_resolved(index, found);
        return !stop;
    }

    bool wait_for_begin() {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stop || begun; });
        return !stop;
    }

    bool wait_for_next_round() {
        std::unique_lock lock(mutex);
        wake.wait_for(lock, kMinGap, [this] { return stop; });
        wake.wait_for(lock, kPeriod - kMinGap, [this] { return stop || asked; });
        asked = false;
        return !stop;
    }

    const std::vector<Endpoint> endpoints;
    const OnResolved on_resolved;
    std::mutex mutex;
    std::condition_variable wake;
    bool begun = false;
    bool asked = false;
    bool stop = false;
};

Result<std::unique_ptr<Resolver>> Resolver::make(std::vector<Endpoint> endpoints, OnResolved on_resolved) {
    auto state = std::make_shared<State>(std::move(endpoints), std::move(on_resolved));
    try {
        std::thread([state] { run(state); }).detach();
    } catch (const std::system_error& none) {
        return fail("there is no thread to look names up: " + none.code().message());
    }
    return std::make_unique<Resolver>(Private{}, std::move(state));
}

Resolver::~Resolver() {
    {
        std::lock_guard lock(state_->mutex);
        state_->stop = true;
    }
    state_->wake.notify_one();
}

void Resolver::begin() {
    {
        std::lock_guard lock(state_->mutex);
        state_->begun = true;
    }
    state_->wake.notify_one();
}

void Resolver::ask_again() {
    {
        std::lock_guard lock(state_->mutex);
        state_->asked = true;
    }
    state_->wake.notify_one();
}

void Resolver::run(const std::shared_ptr<State>& state) {
    if (!state->wait_for_begin()) return;
    bool first = true;
    do {
        for (size_t index = 0; index < state->endpoints.size(); ++index) {
            const Endpoint& endpoint = state->endpoints[index];
            if (!first && SocketAddress::literal(endpoint)) continue;
            if (!state->tell(index, resolve(endpoint))) return;
        }
        first = false;
    } while (state->wait_for_next_round());
}

}  // namespace weir::net
