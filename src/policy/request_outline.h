// What routes look at in a request.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::policy {

/// Views, valid during the call.
struct RequestOutline {
    /// The value of the nth line (from 0) of a field, its name in any case; its data() is null where there is
    /// none.
    using FieldLine = std::string_view (*)(const void* head, std::string_view name, size_t nth);

    std::string_view path;    ///< in normal form; empty where it has none, for nobody can tell what it means
    std::string_view method;  ///< as it was sent
    std::string_view host;    ///< maybe with a port; may be empty
    bool has_body = false;
    const void* head = nullptr;      ///< handed back to `field_line`
    FieldLine field_line = nullptr;  ///< null: no fields

    [[nodiscard]] std::string_view field(std::string_view name, size_t nth) const {
        return field_line != nullptr ? field_line(head, name, nth) : std::string_view();
    }
};

}  // namespace weir::policy
