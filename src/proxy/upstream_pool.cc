#include "proxy/upstream_pool.h"

#include <algorithm>
#include <cerrno>

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

UpstreamPool::UpstreamPool(Kit& kit, Endpoint endpoint, std::shared_ptr<ServerTls> tls,
                           ServerFigures& figures)
    : kit_(kit),
      endpoint_(std::move(endpoint)),
      name_(to_string(endpoint_)),
      bounds_(kit.settings().upstream.pool),
      tls_(std::move(tls)),
      figures_(&figures) {
    if (auto literal = net::SocketAddress::literal(endpoint_)) addresses_ = {*literal};
}

UpstreamPool::~UpstreamPool() = default;

void UpstreamPool::settle(const config::Pool& bounds, std::shared_ptr<ServerTls> tls,
                          ServerFigures& figures) {
    bounds_ = bounds;
    tls_ = std::move(tls);
    figures_ = &figures;
    publish();
}

Result<Lease, Error> UpstreamPool::lease(UpstreamUser& user, Want want) {
    UpstreamConn* conn = take_idle(want);
    if (conn == nullptr) {
        auto opened = open();
        if (!opened) return fail(opened.error());
        conn = *opened;
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

Result<UpstreamConn*, Error> UpstreamPool::open() {
    Error failed{
        .reason = http::Reason::upstream_connect, .retry = Retry::no, .detail = "", .system_error = 0};
    if (addresses_.empty()) {
        failed.retry = Retry::always;
        failed.detail = "the app's name cannot be resolved";
        return fail(failed);
    }
    size_t index = preferred_address_ % addresses_.size();
    auto fd = net::start_connect(addresses_[index]);
    if (!fd) {
        note_connect_failed(index);
        failed.system_error = fd.error();
        bool exhausted = failed.system_error == EMFILE || failed.system_error == ENFILE;
        failed.retry = exhausted ? Retry::no : Retry::always;
        failed.detail = exhausted ? "weir is out of file descriptors" : "the app does not accept connections";
        return fail(failed);
    }
    all_.push_back(std::make_unique<UpstreamConn>(kit_, *this, std::move(*fd), index));
    all_.back()->slot = all_.size() - 1;
    return all_.back().get();
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
}

void UpstreamPool::remove(UpstreamConn& conn) {
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
    kit_.on_connect_failed();
}

void UpstreamPool::set_addresses(std::vector<net::SocketAddress> addresses) {
    // Name servers hand the same addresses out in turning order: that is no change.
    if (std::is_permutation(addresses.begin(), addresses.end(), addresses_.begin(), addresses_.end())) return;
    addresses_ = std::move(addresses);
    preferred_address_ = 0;
    close_idle();  // they lead to where the app was
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
    if (bounds_.max_requests != 0 && conn.requests() >= bounds_.max_requests) return true;
    if (now - conn.opened_at() >= bounds_.max_age) return true;
    return conn.state() == UpstreamConn::State::idle && now - conn.idle_since() >= idle_limit(conn);
}

void UpstreamPool::sweep(Time now) {
    learnt_idle_ = idle_learner_.limit(now);
    std::vector<UpstreamConn*> worn_out;
    size_t warming = 0;
    for (auto& conn : all_) {
        bool warms = conn->is_warming();
        warming += warms ? 1 : 0;
        bool late = warms && now - conn->opened_at() >= kit_.settings().timeout.connect;
        if (late || (conn->state() == UpstreamConn::State::idle && is_worn_out(*conn, now)))
            worn_out.push_back(conn.get());
    }
    for (UpstreamConn* conn : worn_out) drop_idle(*conn);
    while (idle_.size() > bounds_.max_idle && now - idle_.front()->idle_since() >= kSurplusAge)
        drop_idle(*idle_.front());
    size_t ahead = idle_.size() + warming;
    for (size_t opened = 0; ahead + opened < bounds_.min_idle && opened < kWarmUpsPerSweep; ++opened)
        if (kit_.draining || !open()) return;
}

}  // namespace weir::proxy
