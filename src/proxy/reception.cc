#include "proxy/reception.h"

#include <utility>

#include "proxy/client_set.h"
#include "proxy/connection_gate.h"
#include "proxy/kit.h"

namespace weir::proxy {

Reception::Reception(Kit& kit, ClientSet& clients)
    : kit_(kit), clients_(clients), turn_(kit.loop, &Reception::on_turn, this) {}

Reception::~Reception() { shut(); }

void Reception::add(net::Fd fd, const net::IpAddress& peer, const SharedEntrance& entrance) {
    resting_.push_back(std::make_unique<Arrival>(kit_, *this, std::move(fd), peer, entrance));
    resting_.back()->place = std::prev(resting_.end());
}

void Reception::line_up(Arrival& arrival) {
    if (std::exchange(arrival.is_waiting, true)) return;
    waiting_.splice(waiting_.end(), resting_, arrival.place);
    turn_.post();
}

void Reception::on_turn(void* reception) {
    auto& self = *static_cast<Reception*>(reception);
    for (int shakes = 0; shakes < kShakes && !self.waiting_.empty(); ++shakes) {
        Arrival& first = *self.waiting_.front();
        first.is_waiting = false;
        self.resting_.splice(self.resting_.end(), self.waiting_, first.place);
        first.shake();
    }
    if (!self.waiting_.empty()) self.turn_.post();
}

void Reception::let_in(Arrival& arrival) {
    auto parts = arrival.release();
    clients_.welcome({.fd = std::move(parts.fd),
                      .tls = std::move(parts.tls),
                      .seat = GateSeat(kit_.gate, arrival.client()),
                      .entrance = arrival.entrance()});
    remove(arrival);
}

void Reception::turn_away(Arrival& arrival) {
    arrival.close();
    kit_.gate.leave(arrival.client());
    remove(arrival);
}

void Reception::turn_away(Arrival& arrival, const net::IpAddress& client) {
    clients_.notice_refusal(client);
    turn_away(arrival);
}

void Reception::remove(Arrival& arrival) {
    Arrivals& list = arrival.is_waiting ? waiting_ : resting_;
    const auto place = arrival.place;
    kit_.loop.retire(std::move(*place));
    list.erase(place);
}

void Reception::drain() {
    for (const auto& arrival : resting_) arrival->drain();
}

void Reception::shut() {
    while (!resting_.empty()) turn_away(*resting_.front());
    while (!waiting_.empty()) turn_away(*waiting_.front());
}

}  // namespace weir::proxy
