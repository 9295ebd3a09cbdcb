#include "config/draft.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "config/expand.h"
#include "config/value.h"

namespace weir::config {
namespace {

size_t row_of(const Field& field) { return static_cast<size_t>(&field - fields().data()); }

bool comes_before(const Diagnostic& a, const Diagnostic& b) {
    constexpr size_t kNoLine = static_cast<size_t>(-1);
    const size_t line_a = a.line == 0 ? kNoLine : a.line;
    const size_t line_b = b.line == 0 ? kNoLine : b.line;
    if (line_a == kNoLine && line_b == kNoLine) return false;
    return std::tie(line_a, a.column) < std::tie(line_b, b.column);
}

/// A node as it must be written in the file, on one line.
std::string as_written(const Node& node) {
    std::vector<std::string> parts;
    switch (node.kind) {
        case Kind::nothing:
        case Kind::broken: return "~";
        case Kind::scalar: return yaml_scalar(escape_dollars(node.text));
        case Kind::list:
            for (const Node& item : node.items) parts.push_back(as_written(item));
            return fmt::format("[{}]", fmt::join(parts, ", "));
        case Kind::map:
            for (const Entry& entry : node.entries) {
                parts.push_back(fmt::format("{}: {}", yaml_key(entry.key), as_written(entry.value)));
            }
            return fmt::format("{{{}}}", fmt::join(parts, ", "));
    }
    return {};
}

/// Whether a path leads into the elements of a list or map.
bool is_in_element(std::string_view path) {
    return path.find("[].") != std::string_view::npos || path.find("{}.") != std::string_view::npos;
}

/// A list has any number of defaults, any other key one or none.
std::vector<std::string_view> defaults_of(const Field& field) {
    if (field.fallback.empty()) return {};
    if (!field.has_elements()) return {field.fallback};
    if (field.fallback == "~" || field.fallback == "[]") return {};
    std::vector<std::string_view> all;
    std::string_view rest = field.fallback;
    if (rest.starts_with('[')) rest = rest.substr(1, rest.size() - 2);
    while (!rest.empty()) {
        const size_t comma = std::min(rest.find(", "), rest.size());
        all.push_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 2, rest.size()));
    }
    return all;
}

}  // namespace

void Reports::add(Diagnostic diagnostic) {
    has_errors_ = has_errors_ || diagnostic.severity == Severity::error;
    if (!is_full()) {
        kept_.push_back(std::move(diagnostic));
        return;
    }
    ++hidden_;
    if (!first_hidden_) first_hidden_ = std::move(diagnostic);
}

std::vector<Diagnostic> Reports::in_order() const {
    std::vector<Diagnostic> sorted = kept_;
    std::stable_sort(sorted.begin(), sorted.end(), comes_before);
    std::vector<Diagnostic> once;
    std::set<std::tuple<std::string, size_t, size_t, std::string, std::string>> seen;
    for (Diagnostic& diagnostic : sorted) {
        const bool is_new = seen.emplace(diagnostic.source, diagnostic.line, diagnostic.column,
                                         diagnostic.quoted, diagnostic.message)
                                .second;
        if (is_new) once.push_back(std::move(diagnostic));
    }
    if (first_hidden_) {
        once.push_back(*first_hidden_);
        once.back().message = fmt::format("{} more mistakes are not shown, this is the first of them: {}",
                                          hidden_, first_hidden_->message);
    }
    return once;
}

Draft::Draft() : held_(fields().size()) { store_defaults(nullptr, settings); }

Held& Draft::held(const Field& field) {
    assert(!is_in_list(field));
    return held_[row_of(field)];
}

const Held& Draft::held(std::string_view path) const {
    const Field* field = find_field(path);
    assert(field != nullptr);
    return held_[row_of(*field)];
}

std::vector<Origin> Draft::origins() const {
    std::vector<Origin> all;
    for (const Field& field : fields()) {
        if (is_in_list(field) || (field.is_section() && !field.has_elements())) continue;
        const Held& held = held_[row_of(field)];
        if (held.input == nullptr) {
            all.push_back({key_path(field.path), std::string(field.fallback), "default"});
        } else {
            const bool is_hidden = field.is_secret && held.node.kind != Kind::nothing;
            all.push_back({key_path(field.path), is_hidden ? yaml_scalar("***") : as_written(held.node),
                           held.input->origin(held.place)});
        }
    }
    return all;
}

void store_default(const Field& field, Settings& settings) {
    if (field.has_elements()) field.list.clear(settings);
    for (const std::string_view written : defaults_of(field)) {
        const Result<Value, Wrong> value = parse_value(field, written);
        assert(value.has_value());
        if (field.has_elements()) field.list.grow(settings);
        field.store(settings, *value);
    }
}

void store_defaults(const Field* scope, Settings& settings) {
    const std::string prefix = scope == nullptr ? std::string() : std::string(scope->path) + ".";
    for (const Field& field : fields()) {
        const bool is_below =
            field.path.starts_with(prefix) && !is_in_element(field.path.substr(prefix.size()));
        if (is_below) store_default(field, settings);
    }
}

}  // namespace weir::config
