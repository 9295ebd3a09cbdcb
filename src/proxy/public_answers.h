// Paths of its own that weir answers where clients connect. No route, rate or app is asked about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/settings.h"

namespace weir::proxy {

struct Kit;

/// JSON; in Kit::reply_text, or longer-lived.
struct PublicAnswer {
    uint16_t status = 200;
    std::string_view body;
    std::string_view reason{};  ///< in the log, where the status is an error
};

/// Immutable; the settings outlive it.
class PublicAnswers {
  public:
    explicit PublicAnswers(const config::Public& paths) : paths_(paths) {}

    /// What the client is told of another method.
    static constexpr std::string_view kOnlyRead = "this path is read, with GET or HEAD";

    /// False: every path is the app's.
    [[nodiscard]] bool has_any() const { return !paths_.health.empty() || !paths_.queue_stats.empty(); }
    /// Whether at() gives something.
    [[nodiscard]] bool has(std::string_view path) const;
    /// What there is at the path of a request, compared in its normal form (http/target.h); nullopt where the
    /// path is the app's. Allocates nothing where the path is in that form already.
    [[nodiscard]] std::optional<PublicAnswer> at(std::string_view path, Kit&) const;

  private:
    [[nodiscard]] std::optional<PublicAnswer> at_normal(std::string_view path, Kit&) const;

    const config::Public& paths_;
};

}  // namespace weir::proxy
