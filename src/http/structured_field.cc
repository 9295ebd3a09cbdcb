#include "http/structured_field.h"

#include <algorithm>

namespace weir::http {

void SfListWriter::string(std::string_view text) {
    if (out_.size() != 0) out_.text(kSfSeparator);
    out_.text("\"");
    for (const char& c : text) {
        const bool is_printable = c >= ' ' && c <= '~';
        if (c == '"' || c == '\\') out_.text("\\");
        out_.text(is_printable ? std::string_view(&c, 1) : "?");
    }
    out_.text("\"");
}

void SfListWriter::parameter(std::string_view key, int64_t value) {
    const int64_t written = std::clamp(value, -kMaxSfInteger, kMaxSfInteger);
    out_.text(";");
    out_.text(key);
    out_.text(written < 0 ? "=-" : "=");
    out_.number(static_cast<uint64_t>(written < 0 ? -written : written));
}

}  // namespace weir::http
