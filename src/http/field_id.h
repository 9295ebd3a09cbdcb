// Which names are one and the same to an app that cannot tell "_" from "-".
#pragma once

#include <string_view>

#include "http/message.h"

namespace weir::http {

/// As field_id_of, but "_" counts as "-": CGI and WSGI turn both into "_".
[[nodiscard]] FieldId folded_field_id_of(std::string_view name);

/// True for "X-Forwarded-" and anything behind it, "_" read as "-".
[[nodiscard]] bool is_x_forwarded(std::string_view name);

}  // namespace weir::http
