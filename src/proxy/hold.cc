#include "proxy/hold.h"

#include <algorithm>

#include "proxy/kit.h"
#include "proxy/rules.h"

namespace weir::proxy {

namespace {

/// Each worker's share of the places, and of a quarter of the memory.
policy::FairQueue::Bounds bounds_of(const Kit& kit) {
    const config::Settings& settings = kit.settings();
    const size_t workers = kit.plan().around.workers;
    const size_t configured = settings.limits.queue.size;
    const size_t places = configured > 0 ? configured : Rules::kDefaultPlaces;
    return {.entries = std::max<size_t>(1, places / workers),
            .bytes = settings.limits.memory_bytes / 4 / workers};
}

}  // namespace

HeldPlace::~HeldPlace() {
    if (is_taken()) hold_->leave(*this);
}

Hold::Hold(Kit& kit)
    : kit_(kit),
      bounds_(bounds_of(kit)),
      pump_task_(
          kit.loop,
          [](void* self) {
              auto& hold = *static_cast<Hold*>(self);
              hold.pump(hold.kit_.loop.now());
          },
          this),
      timer_(
          kit.loop.timers(), [](void* self, Time now) { static_cast<Hold*>(self)->pump(now); }, this) {}

void Hold::adopt() { bounds_ = bounds_of(kit_); }

void Hold::lost(std::optional<policy::ReleasePacer::Ticket> ticket, Time now) {
    if (ticket) {
        pacer_.failed(*ticket, now);
    } else {
        pacer_.close(now);
    }
    pump_task_.post();
}

void Hold::hurry(Time now) {
    pacer_.hurry(now);
    pump_task_.post();
}

bool Hold::join(HeldPlace& place, policy::ClientKey key, size_t bytes) {
    policy::FairClient& client = queue_.client(key);
    const auto price = queue_.price_of_room(client, bytes, bounds_);
    if (!price) {
        queue_.forget_idle(client);
        return false;
    }
    if (*price > 0) turn_away(*queue_.longest(), *price);
    place.hold_ = this;
    queue_.push(place, client, bytes);
    pump_task_.post();
    return true;
}

void Hold::turn_away(policy::FairClient& client, uint32_t count) {
    for (; count > 0; --count) {
        auto& newest = static_cast<HeldPlace&>(*client.newest);
        newest.hold_ = nullptr;
        queue_.remove(newest);
        newest.answered_(newest.owner_, HeldPlace::Answer::turned_away);
    }
}

void Hold::leave(HeldPlace& place) {
    if (!place.is_taken()) return;
    place.hold_ = nullptr;
    queue_.remove(place);
    pump_task_.post();
}

void Hold::answered(policy::ReleasePacer::Ticket ticket) {
    pacer_.answered(ticket, queue_.size());
    pump_task_.post();
}

void Hold::left(policy::ReleasePacer::Ticket ticket) {
    pacer_.left(ticket);
    pump_task_.post();
}

/// The turn of its client passes: started, and at once finished, since who is inside the app counts
/// elsewhere.
void Hold::take_out(HeldPlace& place) {
    place.hold_ = nullptr;
    policy::FairClient& client = *place.client;
    queue_.start(place);
    queue_.finish(client);
}

void Hold::pump(Time now) {
    while (policy::FairEntry* next = queue_.next(UINT32_MAX)) {
        const Time at = pacer_.next();
        if (at > now) {
            timer_.arm(at);
            return;
        }
        auto& place = static_cast<HeldPlace&>(*next);
        take_out(place);
        place.answered_(place.owner_, HeldPlace::Answer::released);
    }
    timer_.disarm();
    // Who was held has gone elsewhere: the next request finds out for itself.
    if (queue_.size() == 0 && pacer_.next() != kNever) pacer_.open();
}

}  // namespace weir::proxy
