// Reads one field line (RFC 9112, 5): of a request, of a response or of a trailer section.
#pragma once

#include "http/message.h"

namespace weir::http {

/// Reads the line at `p`, its CRLF included. nullptr where it is sound: `out` is filled and `p` is behind the
/// line. Otherwise what is wrong with it, as one static clause, and `p` is where.
const char* read_field_line(const char*& p, const char* end, Field& out);

}  // namespace weir::http
