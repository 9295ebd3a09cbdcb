// Requests and routes for tests of what looks at them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/path_pattern.h"
#include "config/settings.h"
#include "policy/request_outline.h"

namespace weir::policy {

struct Request {
    std::string path = "/";
    std::string method = "GET";
    std::string host = {};
    std::vector<std::pair<std::string, std::string>> fields = {};
    bool has_body = false;

    [[nodiscard]] RequestOutline outline() const {
        return {.path = path,
                .method = method,
                .host = host,
                .has_body = has_body,
                .head = this,
                .field_line = [](const void* head, std::string_view name, size_t nth) {
                    for (const auto& [field, value] : static_cast<const Request*>(head)->fields) {
                        if (field == name && nth-- == 0) return std::string_view(value);
                    }
                    return std::string_view();
                }};
    }
};

inline config::PathPattern pattern_of(std::string_view text) {
    auto parsed = config::parse_pattern(text);
    REQUIRE(parsed.has_value());
    return std::move(parsed.value());
}

inline config::Route route_for(const std::vector<std::string>& paths) {
    config::Route route;
    for (const std::string& path : paths) route.match.paths.push_back(pattern_of(path));
    return route;
}

}  // namespace weir::policy
