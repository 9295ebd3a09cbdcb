#include "proxy/berths.h"

#include <algorithm>
#include <cassert>

namespace weir::proxy {

Berth::~Berth() {
    if (of_ != nullptr) of_->give_back();
}

BerthParty::BerthParty(std::shared_ptr<Berths> berths, net::RemoteTasks& tasks, net::Task::Run called,
                       void* owner)
    : berths_(std::move(berths)), call_(tasks, called, owner) {
    berths_->join(*this);
}

BerthParty::~BerthParty() { berths_->leave(*this); }

BerthWish::BerthWish(BerthParty& party, bool takes_used) : party_(party), takes_used_(takes_used) {
    party_.berths().add(*this);
}

BerthWish::~BerthWish() { (void)party_.berths().withdraw(*this); }

std::optional<BerthWish::Granted> BerthWish::claim() {
    const std::lock_guard lock(party_.berths().mutex_);
    if (!granted_.berth && !granted_.connection) return std::nullopt;
    return std::move(granted_);
}

Berths::~Berths() { assert(taken_ == 0 && wishes_.empty() && parties_.empty()); }

void Berths::join(BerthParty& party) {
    const std::lock_guard lock(mutex_);
    parties_.push_back(&party);
    if (!wishes_.empty() || taken_ > bound_) party.call_.post();
}

void Berths::leave(BerthParty& party) {
    const std::lock_guard lock(mutex_);
    std::erase(parties_, &party);
}

void Berths::set_bound(uint32_t bound) {
    const std::lock_guard lock(mutex_);
    bound_ = bound;
    grant();
    if (taken_ > bound_) ask_all();
}

uint32_t Berths::bound() const {
    const std::lock_guard lock(mutex_);
    return bound_;
}

uint32_t Berths::taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
}

Berth Berths::take() {
    const std::lock_guard lock(mutex_);
    if (taken_ >= bound_) return {};
    ++taken_;
    return Berth(*this);
}

Berth Berths::take_anyway() {
    const std::lock_guard lock(mutex_);
    ++taken_;
    if (taken_ > bound_) ask_all();
    return Berth(*this);
}

void Berths::give_back() {
    const std::lock_guard lock(mutex_);
    --taken_;
    grant();
}

void Berths::add(BerthWish& wish) {
    const std::lock_guard lock(mutex_);
    wishes_.push_back(&wish);
    grant();
    if (!wishes_.empty()) ask();
}

/// What was granted is the caller's to drop: that takes the lock.
BerthWish::Granted Berths::withdraw(BerthWish& wish) {
    const std::lock_guard lock(mutex_);
    std::erase(wishes_, &wish);
    return std::move(wish.granted_);
}

void Berths::grant() {
    while (!wishes_.empty() && taken_ < bound_) {
        ++taken_;
        grant_first({.berth = Berth(*this), .connection = nullptr});
    }
}

void Berths::grant_first(BerthWish::Granted granted) {
    BerthWish& first = *wishes_.front();
    wishes_.pop_front();
    first.granted_ = std::move(granted);
    first.party_.call_.post();
}

void Berths::ask() {
    const auto most = std::max_element(parties_.begin(), parties_.end(), [](const auto* a, const auto* b) {
        return a->idle_.read() < b->idle_.read();
    });
    if ((*most)->idle_.read() == 0) return ask_all();
    (*most)->call_.post();
}

void Berths::ask_all() {
    for (BerthWish* wish : wishes_) wish->is_known_to_all_ = true;
    for (BerthParty* party : parties_) party->call_.post();
}

bool Berths::has_none() {
    const std::lock_guard lock(mutex_);
    const bool is_news = std::any_of(wishes_.begin(), wishes_.end(),
                                     [](const BerthWish* wish) { return !wish->is_known_to_all_; });
    if (is_news) ask_all();
    return !wishes_.empty() || taken_ > bound_;
}

}  // namespace weir::proxy
