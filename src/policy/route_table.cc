#include "policy/route_table.h"

#include <algorithm>
#include <cstring>

#include "policy/method_list.h"
#include "policy/path_match.h"

namespace weir::policy {
namespace {

/// The first bytes of `text`, zeros behind its end: as a number, so that they are compared in one go.
uint64_t first_bytes(std::string_view text) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), std::min(text.size(), sizeof bytes));
    return bytes;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

struct Host {
    std::string_view name;
    std::string_view port;  ///< without leading zeros; empty: none
};

Host split_host(std::string_view authority) {
    const size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    const size_t colon = authority.find(':', std::min(bracket, authority.size()));
    Host host{authority.substr(0, colon), {}};
    if (colon != std::string_view::npos) {
        host.port = authority.substr(colon + 1);
        host.port.remove_prefix(std::min(host.port.find_first_not_of('0'), host.port.size()));
    }
    if (host.name.ends_with('.')) host.name.remove_suffix(1);
    return host;
}

bool takes_host(std::string_view wanted, std::string_view given) {
    const Host want = split_host(wanted);
    const Host have = split_host(given);
    return equals_ignoring_case(want.name, have.name) && (want.port.empty() || want.port == have.port);
}

bool takes_field(const config::HeaderMatch& wanted, const RequestOutline& request) {
    for (size_t nth = 0;; ++nth) {
        const std::string_view value = request.field(wanted.name, nth);
        if (value.data() == nullptr) return false;
        if (!wanted.value || value == *wanted.value) return true;
    }
}

bool takes_rest(const config::Match& match, const RequestOutline& request) {
    if (!takes_method(match.methods, request.method)) return false;
    if (!match.host.empty() && !takes_host(match.host, request.host)) return false;
    return std::all_of(match.headers.begin(), match.headers.end(),
                       [&](const config::HeaderMatch& wanted) { return takes_field(wanted, request); });
}

}  // namespace

Misfit unclear_path() { return {Misfit::Kind::unclear, "the path can be read in more than one way"}; }

RouteTable::RouteTable(const std::vector<config::Route>& routes) {
    for (size_t i = 0; i < routes.size(); ++i) {
        const auto add = [&](Row row, const config::PathPattern* pattern) {
            row.start_bytes = first_bytes(row.start);
            row.start_mask = first_bytes(std::string(row.start.size(), '\xff'));
            row.match = {&routes[i], pattern, static_cast<uint32_t>(i)};
            rows_.push_back(std::move(row));
        };
        for (const config::PathPattern& pattern : routes[i].match.paths) add(make_row(pattern), &pattern);
        if (routes[i].match.paths.empty()) add(Row(), nullptr);
    }
}

RouteTable::Row RouteTable::make_row(const config::PathPattern& pattern) {
    Row row;
    row.kind = pattern.takes_rest ? Row::Kind::prefix : Row::Kind::exact;
    for (const config::PathPattern::Segment& segment : pattern.segments) {
        row.start += '/';
        if (segment.is_parameter) {
            row.kind = Row::Kind::segments;
            break;
        }
        row.start += segment.text;
    }
    return row;
}

bool RouteTable::takes_path(const Row& row, std::string_view path) {
    switch (row.kind) {
        case Row::Kind::exact: return path == row.start;
        case Row::Kind::prefix: return path.starts_with(row.start);
        case Row::Kind::segments: return path.starts_with(row.start) && matches(*row.match.pattern, path);
    }
    return false;
}

Result<std::optional<RouteMatch>, Misfit> RouteTable::find(const RequestOutline& request) const {
    if (rows_.empty()) return std::optional<RouteMatch>();
    if (request.path.empty()) {
        return fail(unclear_path());
    }
    const uint64_t first = first_bytes(request.path);
    for (const Row& row : rows_) {
        if ((first & row.start_mask) != row.start_bytes || !takes_path(row, request.path)) continue;
        if (takes_rest(row.match.route->match, request)) return std::optional(row.match);
    }
    return std::optional<RouteMatch>();
}

}  // namespace weir::policy
