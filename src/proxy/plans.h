// The plans that one worker serves by: the current one, and those that exchanges still finish with.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "proxy/plan.h"

namespace weir::proxy {

/// A plan in use by a worker. The count is the worker's own, so that a request pins its plan without a write
/// that other workers would feel.
struct PlanUse {
    std::shared_ptr<Plan> plan;
    size_t pins = 0;
};

/// Keeps a plan alive for one exchange. Thread: its worker's. Empty when it was moved from.
class PlanPin {
  public:
    PlanPin() = default;
    explicit PlanPin(PlanUse& use) : use_(&use) { ++use.pins; }
    PlanPin(const PlanPin& other) : use_(other.use_) {
        if (use_ != nullptr) ++use_->pins;
    }
    PlanPin(PlanPin&& other) noexcept : use_(std::exchange(other.use_, nullptr)) {}
    PlanPin& operator=(PlanPin other) noexcept {
        std::swap(use_, other.use_);
        return *this;
    }
    ~PlanPin() {
        if (use_ != nullptr) --use_->pins;
    }

    [[nodiscard]] explicit operator bool() const { return use_ != nullptr; }
    Plan& operator*() const { return *use_->plan; }
    Plan* operator->() const { return use_->plan.get(); }

  private:
    PlanUse* use_ = nullptr;
};

/// Thread: its worker's. Outlives the pins.
class Plans {
  public:
    explicit Plans(std::shared_ptr<Plan> first) { adopt(std::move(first)); }

    [[nodiscard]] Plan& current() const { return *uses_.back()->plan; }
    [[nodiscard]] PlanPin pin() const { return PlanPin(*uses_.back()); }
    [[nodiscard]] bool is_current(const PlanPin& pin) const { return &*pin == &current(); }

    /// Exchanges that begin from now on go by this one.
    void adopt(std::shared_ptr<Plan> plan) {
        uses_.push_back(std::make_unique<PlanUse>(PlanUse{.plan = std::move(plan)}));
        sweep();
    }
    /// Forgets those that nobody finishes with any more.
    void sweep() {
        std::erase_if(uses_, [this](const auto& use) { return use->pins == 0 && use != uses_.back(); });
    }
    [[nodiscard]] size_t size() const { return uses_.size(); }

  private:
    std::vector<std::unique_ptr<PlanUse>> uses_;  ///< the current one is last
};

}  // namespace weir::proxy
