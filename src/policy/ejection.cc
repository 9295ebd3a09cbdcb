#include "policy/ejection.h"

#include <algorithm>
#include <cassert>

namespace weir::policy {

Attempt& Attempt::operator=(Attempt&& other) noexcept {
    Attempt moved(std::move(other));
    std::swap(ejections_, moved.ejections_);
    std::swap(server_, moved.server_);
    std::swap(is_probe_, moved.is_probe_);
    return *this;
}

bool Attempt::settle(bool succeeded, Time now) {
    Ejections* ejections = std::exchange(ejections_, nullptr);
    return ejections != nullptr && ejections->settle(server_, is_probe_, succeeded, now);
}

void Attempt::drop() {
    Ejections* ejections = std::exchange(ejections_, nullptr);
    if (ejections != nullptr && is_probe_) ejections->release_probe(server_);
}

Ejections::Ejections(const config::Passive& bounds, size_t servers) : bounds_(bounds), servers_(servers) {
    for (Server& server : servers_) server.failures.resize(bounds_.failures.value_or(0));
}

Ejections::Standing Ejections::standing(size_t server, Time now) const {
    assert(server < servers_.size());
    const int64_t state = servers_[server].state.load(std::memory_order_relaxed);
    if (is_in(state)) return Standing::in;
    const bool is_over = state != kProbing && now.time_since_epoch().count() >= state;
    return is_over ? Standing::probe_due : Standing::ejected;
}

std::optional<Attempt> Ejections::enter(size_t server, Time now) {
    assert(server < servers_.size());
    std::atomic<int64_t>& state = servers_[server].state;
    int64_t seen = state.load(std::memory_order_relaxed);
    if (is_in(seen)) return Attempt(*this, static_cast<uint32_t>(server), false);
    if (seen == kProbing || now.time_since_epoch().count() < seen) return std::nullopt;
    const std::lock_guard lock(mutex_);
    // Of several that see the probe due, the first that comes here is it.
    if (state.load(std::memory_order_relaxed) != seen) return std::nullopt;
    state.store(kProbing, std::memory_order_relaxed);
    return Attempt(*this, static_cast<uint32_t>(server), true);
}

bool Ejections::settle(size_t index, bool is_probe, bool succeeded, Time now) {
    Server& server = servers_[index];
    if (!is_probe &&
        (!bounds_.failures || (succeeded && server.state.load(std::memory_order_relaxed) != kFailing)))
        return false;
    const std::lock_guard lock(mutex_);
    if (is_probe) return settle_probe(server, succeeded, now);
    if (!is_in(server.state.load(std::memory_order_relaxed))) return false;
    return succeeded ? note_success(server) : note_failure(server, now);
}

bool Ejections::note_success(Server& server) {
    server.in_row = 0;
    server.state.store(kClean, std::memory_order_relaxed);
    return false;
}

bool Ejections::note_failure(Server& server, Time now) {
    const size_t needed = server.failures.size();
    server.failures[server.in_row % needed] = now;
    ++server.in_row;
    server.state.store(kFailing, std::memory_order_relaxed);
    // The ring is full: the oldest of the latest `needed` is the next to be overwritten.
    if (server.in_row < needed || now - server.failures[server.in_row % needed] > bounds_.window)
        return false;
    if (!has_room_for(server)) return false;
    const bool again = server.length > Duration::zero() && now - server.back_at < server.length;
    eject(server, now, again);
    return true;
}

bool Ejections::settle_probe(Server& server, bool succeeded, Time now) {
    if (!succeeded && has_room_for(server)) {
        eject(server, now, true);
    } else {
        admit(server, now);
    }
    return true;
}

void Ejections::admit(Server& server, Time now) {
    server.in_row = 0;
    server.back_at = now;
    server.state.store(kClean, std::memory_order_relaxed);
}

void Ejections::eject(Server& server, Time now, bool again) {
    server.length = again ? std::min(server.length * 2, bounds_.max_eject) : bounds_.eject;
    server.in_row = 0;
    server.state.store((now + server.length).time_since_epoch().count(), std::memory_order_relaxed);
}

bool Ejections::is_out(const Server& server) {
    return server.is_down || !is_in(server.state.load(std::memory_order_relaxed));
}

/// Whether at most half of all are out when this one is, too.
bool Ejections::has_room_for(const Server& server) const {
    size_t out = 1;
    for (const Server& each : servers_) out += &each != &server && is_out(each) ? 1 : 0;
    return out <= servers_.size() / 2;
}

void Ejections::release_probe(size_t index) {
    const std::lock_guard lock(mutex_);
    Server& server = servers_[index];
    // Where too many have gone down meanwhile, it is in, as after a probe that failed.
    server.state.store(has_room_for(server) ? kDue : kClean, std::memory_order_relaxed);
}

void Ejections::set_down(size_t index, bool is_down, Time now) {
    assert(index < servers_.size());
    const std::lock_guard lock(mutex_);
    servers_[index].is_down = is_down;
    auto out = static_cast<size_t>(std::count_if(servers_.begin(), servers_.end(), is_out));
    for (; out > servers_.size() / 2; --out) {
        Server* next = nullptr;
        for (Server& server : servers_) {
            const int64_t state = server.state.load(std::memory_order_relaxed);
            const bool may_be_lifted = !server.is_down && !is_in(state) && state != kProbing;
            if (may_be_lifted && (next == nullptr || state < next->state.load(std::memory_order_relaxed)))
                next = &server;
        }
        if (next == nullptr) return;
        admit(*next, now);
    }
}

std::optional<Time> Ejections::ejected_until(size_t server) const {
    assert(server < servers_.size());
    const int64_t state = servers_[server].state.load(std::memory_order_relaxed);
    if (is_in(state)) return std::nullopt;
    return state == kProbing ? kNever : Time(Duration(state));
}

}  // namespace weir::policy
