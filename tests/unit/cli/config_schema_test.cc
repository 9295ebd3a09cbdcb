#include "cli/config_schema.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "cli/scalar_schema.h"
#include "config/field_table.h"

namespace weir::cli {

namespace {

using config::Field;

const Json& schema() {
    static const Json parsed = Json::parse(config_schema());
    return parsed;
}

Json resolved(const Json& part) {
    if (!part.contains("$ref")) return part;
    return schema().at(Json::json_pointer(part["$ref"].get<std::string>().substr(1)));
}

/// What a part of the schema says of itself, or each of its alternatives.
std::vector<Json> alternatives(const Json& part) {
    const Json whole = resolved(part);
    if (!whole.contains("anyOf")) return {whole};
    std::vector<Json> all;
    for (const Json& each : whole["anyOf"])
        for (const Json& inner : alternatives(each)) all.push_back(inner);
    return all;
}

/// The maps that may stand there: its own, and those of a shorthand.
std::vector<Json> maps_in(const Json& part) {
    std::vector<Json> all;
    for (const Json& each : alternatives(part)) {
        if (each.contains("properties")) all.push_back(each);
        if (!each.contains("propertyNames")) continue;
        for (const Json& element : maps_in(each["additionalProperties"])) all.push_back(element);
    }
    return all;
}

Json row_in_schema(std::string_view path) {
    Json row = schema();
    while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('.'));
        const std::string name(config::name_of(part));
        const std::vector<Json> maps = maps_in(row);
        const auto map = std::find_if(maps.begin(), maps.end(),
                                      [&](const Json& each) { return each["properties"].contains(name); });
        REQUIRE(map != maps.end());
        row = (*map)["properties"][name];
        path.remove_prefix(std::min(part.size() + 1, path.size()));
    }
    return row;
}

}  // namespace

TEST_CASE("the schema has every row of the table, with its description and its default") {
    for (const Field& field : config::fields()) {
        CAPTURE(field.path);
        const Json row = row_in_schema(field.path);
        CHECK(row["description"].get<std::string>().starts_with(field.doc));
        CHECK(row.contains("default") == !field.fallback.empty());
        CHECK(row.contains("writeOnly") == field.is_secret);
    }
}

TEST_CASE("no map takes a key that is not in the table") {
    CHECK(schema()["additionalProperties"] == false);
    for (const Field& field : config::fields()) {
        if (!field.is_section()) continue;
        CAPTURE(field.path);
        const std::vector<Json> maps = maps_in(row_in_schema(field.path));
        CHECK_FALSE(maps.empty());
        for (const Json& map : maps) CHECK(map["additionalProperties"] == false);
    }
}

}  // namespace weir::cli
