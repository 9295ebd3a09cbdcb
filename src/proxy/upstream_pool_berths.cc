// How the pools of several workers share the room for connections to one server.
#include <algorithm>
#include <utility>

#include "proxy/kit.h"
#include "proxy/upstream_pool.h"

namespace weir::proxy {

/// Under other berths: what is open counts there, and who waits for room here need not any more.
void UpstreamPool::move_berths(Lead lead) {
    while (!waiting_.empty()) go_ahead(*waiting_.back());
    for (auto& conn : all_)
        if (conn->has_berth()) conn->move_to(lead.berths->take_anyway());
    lead_.berths = std::move(lead.berths);
    party_.emplace(
        lead_.berths, kit_.remote_tasks, [](void* pool) { static_cast<UpstreamPool*>(pool)->on_called(); },
        this);
}

void UpstreamPool::wait_for_berth(UpstreamConn& conn, Want want) {
    waiting_.push_back(&conn);
    conn.wait_for_berth(*party_, want != Want::fresh);
    owes_ = true;
    // One that wants a new connection leaves those alone that lie idle here.
    if (!idle_.empty()) pay();
}

void UpstreamPool::go_ahead(UpstreamConn& conn) {
    std::erase(waiting_, &conn);
    if (auto granted = conn.claim_berth()) return begin(conn, std::move(*granted));
    open(conn, lead_.berths->take_anyway());
    publish();
}

/// By other workers' pools, or by this one's own.
void UpstreamPool::on_called() {
    begin_granted();
    owes_ = true;
    pay();
}

void UpstreamPool::begin_granted() {
    for (size_t index = 0; index < waiting_.size();) {
        UpstreamConn& conn = *waiting_[index];
        auto granted = conn.claim_berth();
        if (granted) {
            waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(index));
            begin(conn, std::move(*granted));
        } else {
            ++index;
        }
    }
}

/// Another worker may not have heard yet that the app is elsewhere, or may have heard it first.
void UpstreamPool::begin(UpstreamConn& conn, BerthWish::Granted granted) {
    if (!granted.connection) return open(conn, std::move(granted.berth));
    HandedOver& connection = *granted.connection;
    const auto found = std::find(addresses_.begin(), addresses_.end(), connection.address);
    if (found == addresses_.end()) {
        Berth berth = std::move(connection.berth);
        granted.connection.reset();
        return open(conn, std::move(berth));
    }
    conn.take_over(std::move(connection), static_cast<size_t>(found - addresses_.begin()));
    figures_->reused.add();
}

/// Offers what lies idle for as long as it is wanted.
void UpstreamPool::pay() {
    while (owes_) {
        if (UpstreamConn* conn = take_idle(Want::any_checked)) {
            offer(*conn);
            continue;
        }
        owes_ = lead_.berths->has_none();
        UpstreamConn* warming = owes_ ? find_warming() : nullptr;
        if (warming == nullptr) break;
        remove(*warming);
    }
    publish();
}

void UpstreamPool::offer(UpstreamConn& conn) {
    const auto verdict =
        lead_.berths->offer([&] { return conn.hand_over(addresses_[conn.address_index()]); });
    switch (verdict) {
        case Berths::Verdict::handed_over: return remove(conn);
        case Berths::Verdict::keep:
            idle_.push_back(&conn);
            owes_ = false;
            return;
        case Berths::Verdict::close: {
            // The one that is least likely to live.
            idle_.push_back(&conn);
            UpstreamConn& oldest = *idle_.front();
            idle_.erase(idle_.begin());
            return remove(oldest);
        }
    }
}

UpstreamConn* UpstreamPool::find_warming() const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [](const auto& conn) { return conn->is_warming(); });
    return found == all_.end() ? nullptr : found->get();
}

}  // namespace weir::proxy
