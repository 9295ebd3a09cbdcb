#include "cli/config_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "cli/scalar_schema.h"
#include "config/field_table.h"

namespace weir::cli {

namespace {

using config::Field;
using config::Type;

Json nothing() { return {{"type", "null"}}; }

Json value_schema(const Field& field);

Json described(const Json& schema, const Field& field);

Json map_schema(std::string_view path) {
    Json properties = Json::object();
    Json required = Json::array();
    const bool is_element = path.ends_with("[]") || path.ends_with("{}");
    for (const Field& field : config::fields()) {
        if (config::parent_of(field.path) != path) continue;
        const std::string name(config::name_of(field.path));
        properties[name] = described(value_schema(field), field);
        if (is_element && field.fallback.empty() && !field.is_section()) required.push_back(name);
    }
    Json schema{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = required;
    return schema;
}

/// A map, or what its shorthand takes.
Json section_schema(const Field& field) {
    std::vector<Json> parts;
    if (!field.shorthand.empty())
        parts.push_back(value_schema(*config::find_field(field.path, field.shorthand)));
    parts.push_back(map_schema(field.path));
    // A map whose keys are all commented out is an ordinary thing to write.
    if (!field.is_list()) parts.push_back(nothing());
    return any_of(parts);
}

Json element_schema(const Field& field) {
    if (!field.is_section()) return scalar_schema(field);
    return {{"$ref", fmt::format("#/$defs/{}", config::key_path(field.path))}};
}

/// The elements that are maps, each once: a list refers to them from two places.
Json element_definitions() {
    Json all = Json::object();
    for (const Field& field : config::fields())
        if (field.has_elements() && field.is_section())
            all[config::key_path(field.path)] = section_schema(field);
    return all;
}

Json list_schema(const Field& field) {
    const config::ListOf& list = field.list;
    const Json element = element_schema(field);
    std::vector<Json> parts{
        element, {{"type", "array"}, {"items", element}, {"minItems", list.least}, {"maxItems", list.most}}};
    if (list.least == 0 || list.word == "~") parts.push_back(nothing());
    if (list.on_word != nullptr) parts.push_back({{"const", list.word}});
    return any_of(parts);
}

Json free_map_schema(const Field& field) {
    const config::ListOf& list = field.list;
    std::vector<Json> parts{{{"type", "object"},
                             {"propertyNames", name_schema(list.name_type)},
                             {"additionalProperties", element_schema(field)},
                             {"minProperties", list.least},
                             {"maxProperties", list.most}}};
    if (list.least == 0 || list.word == "~") parts.push_back(nothing());
    if (!field.is_section()) parts.push_back({{"type", "string"}});  // a name alone
    return any_of(parts);
}

Json value_schema(const Field& field) {
    if (field.is_list()) return list_schema(field);
    if (field.is_map()) return free_map_schema(field);
    return field.is_section() ? section_schema(field) : scalar_schema(field);
}

/// As JSON has it; the table has the text of a file.
Json default_of(const Field& field, std::string_view text) {
    if (text == "~") return nullptr;
    const bool is_number =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (field.type == Type::integer && is_number) return std::stoull(std::string(text));
    if (field.type == Type::boolean) return text == "true";
    if (!text.starts_with('[')) return text;
    Json items = Json::array();
    text = text.substr(1, text.size() - 2);
    while (!text.empty()) {
        const size_t comma = std::min(text.find(", "), text.size());
        items.push_back(default_of(field, text.substr(0, comma)));
        text.remove_prefix(std::min(comma + 2, text.size()));
    }
    return items;
}

bool has_unit(Type type) {
    return type == Type::size || type == Type::rate || type == Type::duration || type == Type::percent;
}

Json described(const Json& schema, const Field& field) {
    std::string text(field.doc);
    if (has_unit(field.type) && !field.range.low.empty())
        text += fmt::format(" Allowed: {} to {}.", field.range.low, field.range.high);
    Json made{{"description", text}};
    if (!field.fallback.empty()) made["default"] = default_of(field, field.fallback);
    if (field.is_secret) made["writeOnly"] = true;
    made.update(schema);
    return made;
}

}  // namespace

std::string config_schema() {
    Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"title", "The configuration of weir"},
                {"description", "weir.yaml. Every value may have ${NAME} and ${NAME:-default} in it."}};
    schema.update(map_schema({}));
    schema["$defs"] = scalar_definitions();
    schema["$defs"].update(element_definitions());
    return schema.dump(2) + "\n";
}

}  // namespace weir::cli
