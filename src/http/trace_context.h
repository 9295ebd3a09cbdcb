// Which trace a request belongs to (W3C Trace Context, https://www.w3.org/TR/trace-context/). weir passes the
// fields on as they came; the log names the trace, so that its lines can be found from there.
#pragma once

#include <string_view>

namespace weir::http {

/// The 32 hex digits of the trace within a `traceparent` field's value; empty where it is malformed. Later
/// versions than 00 are read as far as they are the same.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent);

}  // namespace weir::http
