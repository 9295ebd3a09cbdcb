#include "app/worker.h"

#include <utility>

#include "base/log.h"
#include "proxy/rules.h"

namespace weir::app {

namespace {
constexpr Duration kSweepPeriod = std::chrono::seconds(1);
}

Worker::Worker(const Shared& shared, size_t index, std::array<uint64_t, 3> random)
    : mailbox_(loop_),
      kit_(std::make_unique<proxy::Kit>(loop_, shared.plan, shared.budget, shared.gate,
                                        std::array{random[0], random[1]})),
      upstreams_(*kit_, random[2]),
      hold_(*kit_),
      abandoned_(*kit_),
      clients_(*kit_),
      on_accept_ended_(shared.on_accept_ended),
      on_ended_(shared.on_worker_ended),
      last_tick_(loop_.now()) {
    kit_->upstreams = &upstreams_;
    kit_->abandoned = &abandoned_;
    kit_->hold = &hold_;
    kit_->worker = index;
    kit_->on_connect_failed = shared.on_connect_failed;
    loop_.set_on_tick(&Worker::on_tick, this);
    thread_ = std::thread([this] { loop_.run(); });
}

Worker::~Worker() {
    stop_now();
    thread_.join();
}

void Worker::accept_from(const net::Fd& socket, proxy::SharedEntrance entrance) {
    mailbox_.post([this, &socket, held = std::move(entrance)] {
        if (kit_->draining) return;
        listeners_.erase(&socket);
        listeners_[&socket] = std::make_unique<net::Listener>(
            loop_, socket, [this, held](net::Fd fd, const net::IpAddress& peer) {
                clients_.add(std::move(fd), peer, held);
            });
    });
}

void Worker::stop_accepting(const net::Fd& socket, std::function<void()> on_stopped) {
    mailbox_.post([this, &socket, told = std::move(on_stopped)] {
        if (auto found = listeners_.find(&socket); found != listeners_.end()) {
            found->second->accept_waiting();
            listeners_.erase(found);
        }
        told();
    });
}

void Worker::adopt(std::shared_ptr<proxy::Plan> plan, OnAdopted on_adopted) {
    mailbox_.post([this, moved = std::move(plan), told = std::move(on_adopted)] {
        kit_->adopt(moved);
        told(kit_->metrics);
    });
}

void Worker::set_addresses(size_t server, std::vector<net::SocketAddress> addresses) {
    mailbox_.post([this, server, moved = std::move(addresses)] {
        upstreams_.set_addresses(server, moved);
        hold_.hurry(loop_.now());
    });
}

void Worker::on_server_up() {
    mailbox_.post([this] { hold_.hurry(loop_.now()); });
}

void Worker::drain(Duration bound) {
    mailbox_.post([this, bound] { begin_drain(bound); });
}

void Worker::stop_now() {
    mailbox_.post([this] { end(); });
}

void Worker::begin_drain(Duration bound) {
    kit_->draining = true;
    drain_deadline_ = loop_.now() + bound;
    for (auto& [socket, listener] : listeners_) listener->accept_waiting();
    listeners_.clear();
    on_accept_ended_();
    clients_.drain();
    upstreams_.close_idle();
    if (clients_.empty()) end();
}

void Worker::end() {
    if (std::exchange(ended_, true)) return;
    last_tick_.store(kNever, std::memory_order_relaxed);
    listeners_.clear();
    if (!clients_.empty()) log::warning("{} connections are cut off", clients_.size());
    clients_.shut();
    abandoned_.shut();  // now: the loop destroys connections, and they outlive the kit where it has ended
    upstreams_.close_idle();
    kit_->access_log.flush();
    loop_.stop();
    on_ended_();
}

void Worker::on_tick(void* worker) {
    auto& self = *static_cast<Worker*>(worker);
    Time now = self.loop_.now();
    if (!self.ended_) self.last_tick_.store(now, std::memory_order_relaxed);
    self.kit_->access_log.flush();
    proxy::Plan& plan = self.kit_->plan();
    // One of them is enough: what it sets holds for all.
    if (self.kit_->worker == 0) plan.rules.set_server_room(plan.fleet->room(now), now);
    if (now >= self.next_sweep_) {
        self.next_sweep_ = now + kSweepPeriod;
        self.upstreams_.sweep(now);
        self.kit_->plans.sweep();
    }
    if (self.kit_->draining && (self.clients_.empty() || now >= self.drain_deadline_)) self.end();
}

}  // namespace weir::app
