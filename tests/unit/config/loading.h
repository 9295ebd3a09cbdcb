// Sources in one line, for the tests of config/.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/load.h"

namespace weir::config {

inline constexpr const char* kSmallest = "listen: 0.0.0.0:8080\nupstream: http://127.0.0.1:5000\n";

using Variables = std::map<std::string, std::string>;

inline Sources sources(std::string text, const Variables& variables = {}) {
    Sources all;
    all.file_name = "weir.yaml";
    all.file_text = std::move(text);
    all.environment = [variables](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(std::string(name));
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    for (const auto& [name, value] : variables) {
        if (name.starts_with("WEIR_")) all.overrides.push_back(name);
    }
    return all;
}

inline std::string rendered(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) text += render(diagnostic);
    return text;
}

inline Loaded load_well(const Sources& all) {
    auto result = load(all);
    INFO(all.file_text);
    if (!result) INFO(rendered(result.error()));
    REQUIRE(result.has_value());
    return std::move(result.value());
}

/// Below the smallest configuration.
inline Loaded load_well(const std::string& more, const Variables& variables = {}) {
    return load_well(sources(kSmallest + more, variables));
}

inline std::vector<Diagnostic> mistakes_in(const Sources& all) {
    const auto result = load(all);
    INFO(all.file_text);
    REQUIRE_FALSE(result.has_value());
    return result.error();
}

/// Below the smallest configuration, which is two lines: the text begins on line 3.
inline std::vector<Diagnostic> mistakes_in(const std::string& more, const Variables& variables = {}) {
    return mistakes_in(sources(kSmallest + more, variables));
}

inline std::string value_of(const Loaded& loaded, std::string_view path) {
    for (const Origin& origin : loaded.origins) {
        if (origin.path == path) return origin.value;
    }
    return "(no such key)";
}

inline std::string origin_of(const Loaded& loaded, std::string_view path) {
    for (const Origin& origin : loaded.origins) {
        if (origin.path == path) return origin.from;
    }
    return "(no such key)";
}

/// What is said about a text below the smallest configuration, one line each: "3:9 error: message".
inline std::string said_of(const std::string& more, const Variables& variables = {}) {
    auto result = load(sources(kSmallest + more, variables));
    std::string text;
    for (const Diagnostic& one : result ? result->warnings : result.error()) {
        text += std::to_string(one.line) + ":" + std::to_string(one.column) +
                (one.severity == Severity::error ? " error: " : " warning: ") + one.message + "\n";
    }
    return text;
}

}  // namespace weir::config
