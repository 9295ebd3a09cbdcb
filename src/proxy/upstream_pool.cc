#include "proxy/upstream_pool.h"

#include <algorithm>

#include "proxy/kit.h"

namespace weir::proxy {

namespace {
/// Idle time of a connection to an app that announces none, before it is learnt. Debian's servers close after
/// 2 s (gunicorn) to 75 s (nginx): whoever closes earlier is noticed by its FIN, this only keeps connections
/// from piling up.
constexpr Duration kDefaultIdle = std::chrono::seconds(60);
/// How much earlier than the app weir closes: the request that would have used the connection must arrive in
/// time.
constexpr Duration kIdleMargin = std::chrono::seconds(1);
constexpr size_t kWarmUpsPerSweep = 4;
/// For how long a server that refused a connection is passed over where there is another.
constexpr Duration kSuspectFor = std::chrono::seconds(1);
/// Connections past `max_idle` are closed when they have not been needed for this long: closing them at once
/// would open and close one for nearly every request while more than `max_idle` are at work.
constexpr Duration kSurplusAge = std::chrono::seconds(1);
}  // namespace

Lease::~Lease() {
    if (conn_ != nullptr) conn_->pool().give_back(*conn_);
}

UpstreamPool::UpstreamPool(Kit& kit, Lead lead, ServerFigures& figures)
    : kit_(kit),
      lead_(std::move(lead)),
      name_(to_string(lead_.address)),
      bounds_(kit.settings().upstream.pool),
      figures_(&figures) {
    if (auto literal = net::SocketAddress::literal(lead_.address)) addresses_ = {*literal};
    move_berths(lead_);
}

UpstreamPool::~UpstreamPool() = default;

void UpstreamPool::settle(const config::Pool& bounds, Lead lead, ServerFigures& figures) {
    bounds_ = bounds;
    figures_ = &figures;
    lead_.tls = std::move(lead.tls);
    if (lead.berths != lead_.berths) move_berths(std::move(lead));
    publish();
}

Lease UpstreamPool::lease(UpstreamUser& user, Want want) {
    UpstreamConn* conn = take_idle(want);
    if (conn == nullptr) {
        conn = &add();
        if (Berth berth = lead_.berths->take()) {
            open(*conn, std::move(berth));
        } else {
            wait_for_berth(*conn, want);
        }
    }
    conn->lease_to(user);
    if (conn->reused()) figures_->reused.add();
    publish();
    return Lease(*conn);
}

UpstreamConn* UpstreamPool::take_idle(Want want) {
    if (want == Want::fresh) return nullptr;
    while (!idle_.empty()) {
        UpstreamConn* conn = idle_.back();
        idle_.pop_back();
        bool dead = conn->stream().has_input() || (want == Want::any_checked && conn->close_is_pending());
        if (dead) note_closed_after(kit_.loop.now() - conn->idle_since());
        if (!dead && !is_worn_out(*conn, kit_.loop.now())) return conn;
        remove(*conn);
    }
    return nullptr;
}

UpstreamConn& UpstreamPool::add() {
    all_.push_back(std::make_unique<UpstreamConn>(kit_, *this));
    all_.back()->slot = all_.size() - 1;
    return *all_.back();
}

void UpstreamPool::open(UpstreamConn& conn, Berth berth) {
    Error failed{
        .reason = http::Reason::upstream_connect, .retry = Retry::always, .detail = "", .system_error = 0};
    if (addresses_.empty()) {
        failed.detail = "the app's name cannot be resolved";
        return conn.fail_soon(std::move(berth), failed, 0);
    }
    const size_t index = preferred_address_ % addresses_.size();
    auto fd = net::start_connect(addresses_[index]);
    if (fd) return conn.connect(std::move(berth), std::move(*fd), index);
    failed.system_error = fd.error();
    failed.is_shortage = net::is_shortage(failed.system_error);
    if (failed.is_shortage) failed.retry = Retry::no;
    failed.detail = failed.is_shortage ? "weir has run out of file descriptors, ports or memory"
                                       : "the app does not accept connections";
    conn.fail_soon(std::move(berth), failed, index);
}

void UpstreamPool::give_back(UpstreamConn& conn) {
    if (conn.end_lease() && !kit_.draining) return keep_idle(conn);
    remove(conn);
    publish();
}

void UpstreamPool::drop_closed(UpstreamConn& conn) {
    note_closed_after(kit_.loop.now() - conn.idle_since());
    drop_idle(conn);
}

void UpstreamPool::note_closed_after(Duration idle) { idle_learner_.closed(idle, kit_.loop.now()); }

void UpstreamPool::keep_idle(UpstreamConn& conn) {
    bool worn_out = is_worn_out(conn, kit_.loop.now());
    if (worn_out || bounds_.max_idle == 0 || conn.stream().has_input()) {
        remove(conn);
    } else {
        idle_.push_back(&conn);
        if (owes_) pay();
    }
    publish();
}

void UpstreamPool::drop_idle(UpstreamConn& conn) {
    std::erase(idle_, &conn);
    remove(conn);
    publish();
}

/// For whoever reads the figures on another thread.
void UpstreamPool::publish() {
    figures_->idle.set(idle());
    figures_->in_use.set(in_use());
    party_->note_idle(idle());
}

void UpstreamPool::remove(UpstreamConn& conn) {
    std::erase(waiting_, &conn);
    conn.close();
    size_t slot = conn.slot;
    kit_.loop.retire(std::move(all_[slot]));
    if (slot + 1 != all_.size()) {
        all_[slot] = std::move(all_.back());
        all_[slot]->slot = slot;
    }
    all_.pop_back();
}

void UpstreamPool::note_connected(const UpstreamConn& conn) {
    preferred_address_ = conn.address_index();
    suspect_until_ = {};
}

void UpstreamPool::note_connect_failed(size_t address_index) {
    if (preferred_address_ == address_index) preferred_address_ = address_index + 1;
    suspect_until_ = kit_.loop.now() + kSuspectFor;
    kit_.on_connect_failed(lead_.address);
}

void UpstreamPool::set_addresses(std::vector<net::SocketAddress> addresses) {
    // Name servers hand the same addresses out in turning order: that is no change.
    if (std::is_permutation(addresses.begin(), addresses.end(), addresses_.begin(), addresses_.end())) return;
    addresses_ = std::move(addresses);
    preferred_address_ = 0;
    // They lead to where the app was.
    for (auto& conn : all_) conn->outdate();
    close_idle();
}

void UpstreamPool::close_idle() {
    while (!idle_.empty()) drop_idle(*idle_.back());
}

Duration UpstreamPool::idle_limit(const UpstreamConn& conn) const {
    if (bounds_.idle_timeout) return *bounds_.idle_timeout;
    Duration announced = conn.announced_idle();
    Duration limit = learnt_idle_.value_or(kDefaultIdle);
    if (announced == Duration::zero()) return limit;
    return std::min(limit, announced - std::min(kIdleMargin, announced / 2));
}

bool UpstreamPool::is_worn_out(const UpstreamConn& conn, Time now) const {
    if (conn.is_outdated()) return true;
    if (bounds_.max_requests != 0 && conn.requests() >= bounds_.max_requests) return true;
    if (now - conn.opened_at() >= bounds_.max_age) return true;
    return conn.state() == UpstreamConn::State::idle && now - conn.idle_since() >= idle_limit(conn);
}

void UpstreamPool::sweep(Time now) {
    learnt_idle_ = idle_learner_.limit(now);
    std::vector<UpstreamConn*> worn_out;
    for (auto& conn : all_) {
        bool warms = conn->is_warming();
        bool late = warms && now - conn->opened_at() >= kit_.settings().timeout.connect;
        if (late || (conn->state() == UpstreamConn::State::idle && is_worn_out(*conn, now)))
            worn_out.push_back(conn.get());
    }
    for (UpstreamConn* conn : worn_out) drop_idle(*conn);
    while (idle_.size() > bounds_.max_idle && now - idle_.front()->idle_since() >= kSurplusAge)
        drop_idle(*idle_.front());
    warm_up();
    publish();
}

/// As far as there is room: nobody is asked to give up a connection for this.
void UpstreamPool::warm_up() {
    const auto is_warming = [](const auto& conn) { return conn->is_warming(); };
    size_t ahead = idle_.size() + static_cast<size_t>(std::count_if(all_.begin(), all_.end(), is_warming));
    for (size_t opened = 0; ahead < bounds_.min_idle && opened < kWarmUpsPerSweep; ++opened, ++ahead) {
        Berth berth = kit_.draining ? Berth() : lead_.berths->take();
        if (!berth) return;
        UpstreamConn& conn = add();
        open(conn, std::move(berth));
        if (!conn.is_warming()) return;
    }
}

}  // namespace weir::proxy
