// Which paths a pattern takes, and what its parameters are in one of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "config/settings.h"

namespace weir::policy {

/// What stands behind each slash of a path that begins with one: "/a/" has two segments, the last one empty.
class SegmentWalk {
  public:
    explicit SegmentWalk(std::string_view path) : rest_(path) {}

    std::optional<std::string_view> next() {
        if (rest_.empty()) return std::nullopt;
        rest_.remove_prefix(1);
        const std::string_view segment = rest_.substr(0, rest_.find('/'));
        rest_.remove_prefix(segment.size());
        return segment;
    }

  private:
    std::string_view rest_;
};

/// `path` is in normal form; "*" matches nothing.
[[nodiscard]] bool matches(const config::PathPattern&, std::string_view path);

struct PathParameter {
    std::string_view name;
    std::string_view value;  ///< percent-encoded as in the normal form
    size_t segment = 0;      ///< of the path, from 0
};

/// The parameters of a path that matches the pattern, from left to right. Both outlive the walk.
class PathParameterWalk {
  public:
    PathParameterWalk(const config::PathPattern& pattern, std::string_view path)
        : pattern_(pattern), segments_(path) {}
    std::optional<PathParameter> next();

  private:
    const config::PathPattern& pattern_;
    SegmentWalk segments_;
    size_t at_ = 0;
};

}  // namespace weir::policy
