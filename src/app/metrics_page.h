// All figures for Prometheus. The only place that knows its library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "app/overview.h"

namespace weir::app {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
/// The value of `route` for requests that took none. No route can have such a name.
inline constexpr std::string_view kNoRoute = "(none)";
/// The value of `route` for rules that hold whatever the route is.
inline constexpr std::string_view kAllRoutes = "(all)";

/// Reads what the workers have counted when it is asked, and adds it up. Label values are names from the
/// configuration, status codes and words of weir's own, never anything that a request brought.
class MetricsPage final : public prometheus::Collectable {
  public:
    /// The overview outlives it.
    explicit MetricsPage(const Overview& overview) : overview_(overview) {}

    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
    /// The same as text (exposition format 0.0.4).
    [[nodiscard]] std::string text() const;

  private:
    const Overview& overview_;
};

}  // namespace weir::app
