#include "http/trace_context.h"

#include <algorithm>

namespace weir::http {

namespace {

/// "00-" 32 digits "-" 16 digits "-" 2 digits.
constexpr size_t kTraceAt = 3;
constexpr size_t kTraceLength = 32;
constexpr size_t kParentAt = 36;
constexpr size_t kParentLength = 16;
constexpr size_t kFlagsAt = 53;
constexpr size_t kWhole = 55;

bool is_lower_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
    return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::string_view trace_id_of(std::string_view traceparent) {
    if (traceparent.size() < kWhole) return {};
    const std::string_view version = traceparent.substr(0, 2);
    const bool ends_well = traceparent.size() == kWhole || (version != "00" && traceparent[kWhole] == '-');
    const bool is_parted = traceparent[kTraceAt - 1] == '-' && traceparent[kParentAt - 1] == '-' &&
                           traceparent[kFlagsAt - 1] == '-';
    const std::string_view trace = traceparent.substr(kTraceAt, kTraceLength);
    const bool is_sound = ends_well && is_parted && is_lower_hex(version) && version != "ff" &&
                          is_id(trace) && is_id(traceparent.substr(kParentAt, kParentLength)) &&
                          is_lower_hex(traceparent.substr(kFlagsAt, 2));
    return is_sound ? trace : std::string_view{};
}

}  // namespace weir::http
