#include "policy/path_match.h"

namespace weir::policy {

bool matches(const config::PathPattern& pattern, std::string_view path) {
    if (!path.starts_with('/')) return false;
    SegmentWalk walk(path);
    for (size_t i = 0; i < pattern.segments.size(); ++i) {
        const config::PathPattern::Segment& wanted = pattern.segments[i];
        const std::optional<std::string_view> segment = walk.next();
        if (!segment) return false;
        if (pattern.takes_rest && i + 1 == pattern.segments.size()) return segment->starts_with(wanted.text);
        if (wanted.is_parameter ? segment->empty() : *segment != wanted.text) return false;
    }
    return !walk.next();
}

std::optional<PathParameter> PathParameterWalk::next() {
    while (at_ < pattern_.segments.size()) {
        const size_t segment = at_++;
        const std::optional<std::string_view> value = segments_.next();
        if (!value) return std::nullopt;
        if (!pattern_.segments[segment].is_parameter) continue;
        return PathParameter{pattern_.segments[segment].text, *value, segment};
    }
    return std::nullopt;
}

}  // namespace weir::policy
