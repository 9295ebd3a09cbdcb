// The comma-separated lists of RFC 9110, 5.6.1, without their quoted strings: Connection, TE and Upgrade have
// none.
#pragma once

#include <optional>
#include <string_view>

namespace weir::http {

/// Without the SP and HTAB at both ends.
constexpr std::string_view trim_ows(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Walks a list's members from left to right, each trimmed; empty members are handed out too.
class ListWalk {
  public:
    explicit constexpr ListWalk(std::string_view list) : rest_(list) {}

    constexpr std::optional<std::string_view> next() {
        if (ended_) return std::nullopt;
        const size_t comma = rest_.find(',');
        const std::string_view member = trim_ows(rest_.substr(0, comma));
        ended_ = comma == std::string_view::npos;
        if (!ended_) rest_.remove_prefix(comma + 1);
        return member;
    }

  private:
    std::string_view rest_;
    bool ended_ = false;
};

}  // namespace weir::http
