// A cap on concurrency that refuses nobody and counts whom it would have refused.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace weir::policy {

/// What an enforced cap would have refused is found by who is inside: whoever finds the slots and the places
/// behind them taken would have been turned away, and takes up none. It knows no waiting, so nobody is
/// refused by prediction or for having waited too long. Threads: any. Outlives its seats.
class ShadowCap {
  public:
    /// `room`: slots and places in the queue together.
    explicit ShadowCap(size_t room) : room_(room) {}
    ShadowCap(const ShadowCap&) = delete;
    ShadowCap& operator=(const ShadowCap&) = delete;

    /// Dropping it leaves the cap. Thread: any, one at a time.
    class Seat {
      public:
        Seat() = default;
        explicit Seat(ShadowCap& cap) : cap_(&cap) {}
        Seat(Seat&& other) noexcept : cap_(std::exchange(other.cap_, nullptr)) {}
        Seat& operator=(Seat&& other) noexcept {
            Seat moved(std::move(other));
            std::swap(cap_, moved.cap_);
            return *this;
        }
        ~Seat() {
            if (cap_ != nullptr) cap_->inside_.fetch_sub(1, std::memory_order_relaxed);
        }
        [[nodiscard]] explicit operator bool() const { return cap_ != nullptr; }

      private:
        ShadowCap* cap_ = nullptr;
    };

    /// Without a seat: it would have been refused.
    [[nodiscard]] Seat enter() {
        if (inside_.fetch_add(1, std::memory_order_relaxed) < room_) return Seat(*this);
        inside_.fetch_sub(1, std::memory_order_relaxed);
        return {};
    }
    [[nodiscard]] size_t inside() const { return inside_.load(std::memory_order_relaxed); }

  private:
    size_t room_;
    std::atomic<size_t> inside_{0};
};

}  // namespace weir::policy
