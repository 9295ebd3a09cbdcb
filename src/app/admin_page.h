// The page for the operator: one HTML file, src/app/admin_page.html, that is made part of the program.
#pragma once

#include <string_view>

namespace weir::app {

struct AdminPage {
    std::string_view html;
    /// Its Content-Security-Policy (CSP Level 3): its own script and style by their hashes, requests to this
    /// address, and nothing else.
    std::string_view policy;
};

/// Holds no data: it asks for that with the token that is typed into it.
[[nodiscard]] AdminPage admin_page();

}  // namespace weir::app
