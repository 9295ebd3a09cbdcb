#include "cli/config_schema.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>

#include "cli/scalar_schema.h"
#include "config/field_table.h"
#include "config/value.h"

namespace weir::cli {

namespace {

using config::Field;
using config::Type;

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

/// Whether a text of a file passes. Only of single values.
bool passes(const Json& part, const std::string& text) {
    for (const Json& each : alternatives(part)) {
        const bool is_word = each.contains("const") && each["const"] == text;
        const bool is_choice = each.contains("enum") && std::find(each["enum"].begin(), each["enum"].end(),
                                                                  text) != each["enum"].end();
        const bool is_nothing = each.contains("type") && each["type"] == "null" && text == "~";
        const bool is_text = each.contains("type") && each["type"] != "null" &&
                             (!each.contains("pattern") ||
                              std::regex_search(text, std::regex(each["pattern"].get<std::string>())));
        if (is_word || is_choice || is_nothing || is_text) return true;
    }
    return false;
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

TEST_CASE("what a row allows matches its pattern: defaults, words, choices, both ends of its range") {
    for (const Field& field : config::fields()) {
        if (field.is_section()) continue;
        const Json part = scalar_schema(field);
        CAPTURE(field.path);
        CAPTURE(part.dump());
        if (!field.has_elements() && !field.fallback.empty())
            CHECK(passes(part, std::string(field.fallback)));
        if (!field.word.empty()) CHECK(passes(part, std::string(field.word)));
        for (const std::string_view choice : field.choices)
            if (!choice.empty()) CHECK(passes(part, std::string(choice)));
        if (field.range.low.empty()) continue;
        CHECK(passes(part, std::string(field.range.low)));
        CHECK(passes(part, std::string(field.range.high)));
    }
}

TEST_CASE("a variable may stand in every value") {
    for (const Field& field : config::fields()) {
        if (field.is_section()) continue;
        CAPTURE(field.path);
        CHECK(passes(scalar_schema(field), "${WEIR_VALUE:-x}"));
        CHECK(passes(scalar_schema(field), "a/${NAME}:b"));
    }
}

TEST_CASE("a text and the pattern of its type agree, whether it is a good one or not") {
    struct Case {
        Type type;
        const char* text;
    };
    const auto cases = std::to_array<Case>({
        {Type::duration, "1m30s"},
        {Type::duration, "2d5ms"},
        {Type::duration, "30s1m"},
        {Type::duration, "5"},
        {Type::duration, "1.5s"},
        {Type::duration, "5m5m"},
        {Type::duration, "5 s"},
        {Type::size, "64KiB"},
        {Type::size, "0B"},
        {Type::size, "64kb"},
        {Type::size, "64"},
        {Type::rate, "256B/s"},
        {Type::rate, "256B"},
        {Type::percent, "100%"},
        {Type::percent, "101%"},
        {Type::percent, "20"},
        {Type::quota, "60/min"},
        {Type::quota, "100/15s"},
        {Type::quota, "0/min"},
        {Type::quota, "60/m"},
        {Type::quota, "60"},
        {Type::quota, "1/1h30m"},
        {Type::address, ":8080"},
        {Type::address, "[::1]:80"},
        {Type::address, "[fe80::1%eth0]:80"},
        {Type::address, "unix:/run/a"},
        {Type::address, "8080"},
        {Type::address, "localhost"},
        {Type::address, "unix:run"},
        {Type::server, "http://a:5000"},
        {Type::server, "HTTPS://a/"},
        {Type::server, "http://a/b"},
        {Type::server, "unix:/run/a"},
        {Type::server, "unix://run/a"},
        {Type::server, "a:5000"},
        {Type::boolean, "true"},
        {Type::boolean, "yes"},
        {Type::cidr, "10.0.0.0/8"},
        {Type::cidr, "fd00::/8"},
        {Type::cidr, "10.0.0.0/08"},
        {Type::cidr, "localhost"},
        {Type::name, "per-min_2"},
        {Type::name, "Reports"},
        {Type::name, ""},
        {Type::token, "X-Api-Key"},
        {Type::token, "X Api"},
        {Type::method, "GET"},
        {Type::method, "get"},
        {Type::media_range, "image/*"},
        {Type::media_range, "*/*"},
        {Type::media_range, "image"},
        {Type::content_type, "text/html; charset=utf-8"},
        {Type::content_type, "text"},
        {Type::origin, "https://app.example"},
        {Type::origin, "*"},
        {Type::origin, "app.example"},
        {Type::origin, "https://app.example/"},
        {Type::path, "/a/b%2C"},
        {Type::path, "a"},
        {Type::path, "/a?b"},
        {Type::path, "/a/*"},
        {Type::path, "/a%2c"},
        {Type::pattern, "/a/{id}/*"},
        {Type::pattern, "/a/*/b"},
        {Type::status_range, "200-399"},
        {Type::status_range, "204"},
        {Type::status_range, "2xx"},
        {Type::status_range, "100"},
        {Type::integer_range, "1..100"},
        {Type::integer_range, "-5.."},
        {Type::integer_range, ".."},
        {Type::integer_range, "1-100"},
        {Type::number_range, "0..1.5"},
        {Type::number_range, ".5.."},
        {Type::length_range, "..200"},
        {Type::length_range, "-1..5"},
        {Type::host, "app.example:80"},
        {Type::host, "http://a"},
        {Type::domain, "app.example"},
        {Type::domain, "::1"},
        {Type::domain, "a/b"},
        {Type::file, "/etc/ca.pem"},
        {Type::file, "/etc/"},
    });
    for (const Case& each : cases) {
        const Field field{.path = {}, .type = each.type};
        CAPTURE(each.text);
        CHECK(passes(scalar_schema(field), each.text) == config::parse_value(field, each.text).has_value());
    }
}

TEST_CASE("alternatives within an alternative are its own, and none is there twice") {
    const Json a{{"const", "a"}};
    const Json b{{"const", "b"}};
    CHECK(any_of({a}) == a);
    CHECK(any_of({a, a}) == a);
    CHECK(any_of({any_of({a, b}), b, any_of({b, a})})["anyOf"] == Json::array({a, b}));
}

}  // namespace weir::cli
