#include "app/admin_listener.h"

#include <utility>

#include "app/admin_connection.h"

namespace weir::app {

Result<std::unique_ptr<AdminListener>> AdminListener::open(net::Loop& loop, const Overview& overview) {
    auto socket = net::listen_on(*overview.settings().admin.address, {});
    if (!socket) return fail(socket.error());
    return std::make_unique<AdminListener>(loop, overview, std::move(*socket));
}

AdminListener::AdminListener(net::Loop& loop, const Overview& overview, net::Fd socket)
    : loop_(loop),
      pages_(overview),
      socket_(std::move(socket)),
      full_(loop, &AdminListener::on_full, this),
      round_(loop, &AdminListener::on_round, this),
      rest_(loop.timers(), &AdminListener::on_rest_over, this) {
    const Endpoint& address = *overview.settings().admin.address;
    if (address.is_unix()) file_.emplace(address.path);
    accept();
}

AdminListener::~AdminListener() = default;

void AdminListener::accept() {
    listener_ = std::make_unique<net::Listener>(
        loop_, socket_, [this](net::Fd fd, const net::IpAddress&) { add(std::move(fd)); });
}

void AdminListener::add(net::Fd fd) {
    connections_.push_back(std::make_unique<AdminConnection>(*this, loop_, std::move(fd)));
    connections_.back()->slot = connections_.size() - 1;
    if (connections_.size() >= kMost) full_.post();
}

/// As a task: what calls add() is the listener that goes.
void AdminListener::on_full(void* listener) {
    auto& self = *static_cast<AdminListener*>(listener);
    self.listener_.reset();
    // From the back: one that closes is replaced by one that has been looked at already.
    for (size_t index = self.connections_.size(); index > 0; --index) {
        AdminConnection& connection = *self.connections_[index - 1];
        if (connection.is_idle()) connection.close();
    }
}

void AdminListener::wait_for_round(AdminConnection& connection) {
    waiting_.push_back(&connection);
    if (loop_.now() >= pace_.next()) {
        round_.post();
    } else {
        rest_.arm(pace_.next());
    }
}

void AdminListener::on_round(void* listener) { static_cast<AdminListener*>(listener)->play_round(); }

void AdminListener::on_rest_over(void* listener, Time) {
    static_cast<AdminListener*>(listener)->play_round();
}

void AdminListener::play_round() {
    const Time began = loop_.fresh_now();
    for (AdminConnection* each : std::exchange(waiting_, {})) each->answer_in_round();
    pages_.forget();
    pace_.end_round(began, loop_.fresh_now());
}

void AdminListener::remove(AdminConnection& connection) {
    std::erase(waiting_, &connection);
    const size_t slot = connection.slot;
    loop_.retire(std::move(connections_[slot]));
    if (slot + 1 != connections_.size()) {
        connections_[slot] = std::move(connections_.back());
        connections_[slot]->slot = slot;
    }
    connections_.pop_back();
    if (!listener_ && connections_.size() < kMost) accept();
}

}  // namespace weir::app
