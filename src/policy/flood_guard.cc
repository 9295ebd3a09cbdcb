#include "policy/flood_guard.h"

namespace weir::policy {

namespace {
constexpr Duration kSecond = std::chrono::seconds(1);
}

std::string_view name_of(Flood kind) {
    switch (kind) {
        case Flood::resets: return "resets";
        case Flood::empty_data: return "empty_data";
        case Flood::control: return "control";
        case Flood::continuations: return "continuations";
        case Flood::fields: return "fields";
        case Flood::slow_fields: return "slow_fields";
        case Flood::unread: return "unread";
    }
    return "";
}

FloodGuard::FloodGuard()
    : resets_({.count = kResetsPerSecond, .window = kSecond}, kResets),
      controls_({.count = kControls, .window = kSecond}, kControls) {}

bool FloodGuard::admit(Flood kind, Time now) {
    switch (kind) {
        case Flood::resets:
        case Flood::empty_data:
        case Flood::control: break;
        case Flood::continuations: return ++continuations_ <= kContinuations;
        case Flood::fields:
        case Flood::slow_fields:
        case Flood::unread: return false;
    }
    const TokenBucket& bucket = kind == Flood::control ? controls_ : resets_;
    TokenBucket::Cell& cell = cells_[static_cast<size_t>(kind)];
    if (bucket.admit_at(cell, now, 1) > now) return false;
    bucket.charge(cell, now, 1);
    return true;
}

}  // namespace weir::policy
