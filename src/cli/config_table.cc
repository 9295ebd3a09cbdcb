#include "cli/config_table.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "config/field_table.h"

namespace weir::cli {

namespace {

using config::Field;
using config::Type;

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

/// "routes[].params.query{}.int" is `routes[].params.query.NAME.int`; the row of a list itself has no
/// brackets.
std::string key_of(const Field& field) {
    std::string_view path = field.path;
    if (field.has_elements()) path.remove_suffix(2);
    std::string shown;
    for (size_t i = 0; i < path.size(); ++i) {
        const bool is_map = path.substr(i).starts_with("{}");
        shown += is_map ? std::string(".NAME") : std::string(1, path[i]);
        i += is_map ? 1 : 0;
    }
    return code(shown);
}

std::vector<std::string> choices_of(const Field& field) {
    std::vector<std::string> all;
    for (const std::string_view choice : field.choices)
        if (!choice.empty()) all.push_back(code(choice));
    return all;
}

std::string joined(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string what_of_section(const Field& field) {
    const std::string map = field.is_list() ? "maps" : field.is_map() ? "maps by name" : "a map";
    if (field.shorthand.empty()) return map;
    return fmt::format("{}, or {} alone", map, code(field.shorthand));
}

/// Of one element where the row is a list.
std::string what_of(const Field& field) {
    switch (field.type) {
        case Type::section: return what_of_section(field);
        case Type::integer:
        case Type::size:
        case Type::rate:
        case Type::duration:
        case Type::percent: return fmt::format("`{}` to `{}`", field.range.low, field.range.high);
        case Type::mode: return fmt::format("`{}` to `{}`, octal", field.range.low, field.range.high);
        case Type::choice: return joined(choices_of(field));
        case Type::output: return fmt::format("a path, {}", joined(choices_of(field)));
        case Type::file: return "a file";
        case Type::host: return "a host, `host:port`";
        case Type::domain: return "a name, an address";
        case Type::address: return "`host:port`, `[v6]:port`, `:port`, `unix:/path`";
        case Type::server: return "`http://host[:port]`, `https://host[:port]`, `unix:/path`";
        case Type::boolean: return "`true`, `false`";
        case Type::quota: return "`10/s`, `60/min`, `1000/hour`, `5000/day`, `100/15s`";
        case Type::key_part:
            return fmt::format("{}, `header:NAME`, `cookie:NAME`", joined(choices_of(field)));
        case Type::cidr: return "`10.0.0.0/8`, `192.0.2.7`, `fd00::/8`";
        case Type::name: return "`a-z`, `0-9`, `_`, `-`";
        case Type::token: return "a field's name";
        case Type::method: return "a method";
        case Type::media_range: return "`type/subtype`, `type/*`";
        case Type::content_type: return "a media type";
        case Type::origin: return "`https://app.example`, `*`";
        case Type::path: return "a path";
        case Type::pattern: return "`/a`, `/a/*`, `/a/{id}`";
        case Type::status_range: return "`200`, `200-299`";
        case Type::integer_range: return "`1..100`, `1..`, `..5`";
        case Type::number_range: return "`0..1`, `-0.5..`, `..1.5`";
        case Type::length_range: return "`1..200`, `1..`, `..200`";
        case Type::text:
        case Type::body: return "text";
    }
    return {};
}

/// What is to be typed, or would be taken for markup, between backquotes: `unix:/path`, `max_idle`, `~`.
std::string marked_up(std::string_view sentence) {
    std::string text;
    while (!sentence.empty()) {
        const std::string_view word = sentence.substr(0, sentence.find(' '));
        const size_t first = word.starts_with('(') ? 1 : 0;
        const size_t end = word.find_last_not_of(".,;:)") + 1;
        const std::string_view core = end > first ? word.substr(first, end - first) : std::string_view{};
        const bool is_typed = core.find_first_of(".*~/{}[]_:") != std::string_view::npos;
        text += is_typed ? fmt::format("{}{}{}", word.substr(0, first), code(core), word.substr(end))
                         : std::string(word);
        sentence.remove_prefix(word.size());
        if (sentence.empty()) break;
        text += ' ';
        sentence.remove_prefix(1);
    }
    return text;
}

std::string allowed(const Field& field) {
    std::string text = what_of(field);
    if (field.has_elements())
        text = fmt::format("{} {} {}{}", field.list.least == 0 ? "up to" : "1 to", field.list.most,
                           field.is_section() ? "" : "of ", text);
    if (field.list.on_word != nullptr) text += fmt::format(", {}", code(field.list.word));
    const std::string_view word = field.list.word == "~" ? field.list.word : field.word;
    return word.empty() ? text : fmt::format("{}, {}", text, code(word));
}

std::string fallback(const Field& field) {
    if (!field.fallback.empty()) return code(field.fallback);
    return field.is_section() && !field.has_elements() ? std::string() : "must be given";
}

}  // namespace

std::string config_table() {
    std::string table = "| key | default | allowed | meaning |\n|---|---|---|---|\n";
    for (const Field& field : config::fields())
        table += fmt::format("| {} | {} | {} | {} |\n", key_of(field), fallback(field), allowed(field),
                             marked_up(field.doc));
    return table;
}

}  // namespace weir::cli
