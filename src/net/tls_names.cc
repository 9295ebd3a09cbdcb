#include "net/tls_names.h"

#include <algorithm>

namespace weir::net {

namespace {

/// Of a host's name, longer than any that DNS knows.
constexpr size_t kMaxName = 255;

std::string folded(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string text(name);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

}  // namespace

void TlsNames::add(std::string_view name, size_t certificate) {
    const std::string text = folded(name);
    if (text.starts_with("*.")) {
        below_.emplace(text.substr(1), certificate);
    } else {
        whole_.emplace(text, certificate);
    }
}

std::optional<size_t> TlsNames::find(std::string_view name) const {
    if (name.empty() || name.size() > kMaxName) return std::nullopt;
    const std::string text = folded(name);
    if (const auto found = whole_.find(text); found != whole_.end()) return found->second;
    const size_t dot = text.find('.');
    if (dot == std::string::npos || dot == 0) return std::nullopt;
    const auto found = below_.find(std::string_view(text).substr(dot));
    return found == below_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weir::net
