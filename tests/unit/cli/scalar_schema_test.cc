#include "cli/scalar_schema.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <regex>
#include <string>
#include <vector>

#include "config/field_table.h"
#include "config/value.h"

namespace weir::cli {

namespace {

using config::Field;
using config::Type;

Json resolved(const Json& part) {
    if (!part.contains("$ref")) return part;
    static const Json definitions = scalar_definitions();
    constexpr std::string_view kPrefix = "#/$defs/";
    const auto name = part["$ref"].get<std::string>();
    REQUIRE(name.starts_with(kPrefix));
    return definitions.at(name.substr(kPrefix.size()));
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

bool allows_type(const Json& part, const char* type) {
    for (const Json& each : alternatives(part)) {
        if (!each.contains("type")) continue;
        const Json& types = each["type"];
        if (types == type || (types.is_array() && std::find(types.begin(), types.end(), type) != types.end()))
            return true;
    }
    return false;
}

Json schema_of(Type type) { return scalar_schema(Field{.path = {}, .type = type}); }

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
        {Type::path, "/a/b%20"},
        {Type::path, "/a/b%2A"},
        {Type::path, "/a/b%2C"},
        {Type::path, "/a/b%61"},
        {Type::path, "/a/b%2F"},
        {Type::path, "/a/b%C3%A9"},
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

TEST_CASE("what YAML reads as a number or a truth value passes where such a text may stand") {
    CHECK(allows_type(schema_of(Type::name), "integer"));
    CHECK(allows_type(schema_of(Type::status_range), "integer"));
    CHECK(allows_type(schema_of(Type::text), "boolean"));
    CHECK(allows_type(schema_of(Type::boolean), "boolean"));
    for (const Type type : {Type::duration, Type::size, Type::address, Type::quota, Type::percent}) {
        CHECK_FALSE(allows_type(schema_of(type), "integer"));
        CHECK_FALSE(allows_type(schema_of(type), "boolean"));
    }
}

TEST_CASE("a choice that YAML takes for a number may stand without quotes") {
    const Field versions{.path = {}, .type = Type::choice, .choices = {"1.2", "old"}};
    const Json choices = alternatives(scalar_schema(versions)).front()["enum"];
    CHECK(choices == Json::array({"1.2", 1.2, "old"}));
}

TEST_CASE("whole numbers have the bounds of their row, and permissions are octal") {
    const Field row{.path = {}, .type = Type::integer, .range = {"3", "70"}};
    const Json number = scalar_schema(row);
    CHECK(number["minimum"] == 3);
    CHECK(number["maximum"] == 70);
    const Field permissions{.path = {}, .type = Type::mode, .range = {"0", "0777"}};
    CHECK(passes(scalar_schema(permissions), "0660"));
    CHECK_FALSE(passes(scalar_schema(permissions), "0880"));
}

TEST_CASE("a word that stands for no value passes, and nothing of the kind where there is none") {
    const Field without{.path = {}, .type = Type::duration};
    Field with = without;
    with.word = "~";
    CHECK(allows_type(scalar_schema(with), "null"));
    CHECK_FALSE(allows_type(scalar_schema(without), "null"));
    with.word = "auto";
    CHECK(passes(scalar_schema(with), "auto"));
    CHECK_FALSE(passes(scalar_schema(without), "auto"));
}

TEST_CASE("the keys of a map are names as they stand: nothing is expanded in them") {
    const auto matches = [](Type type, const char* text) {
        return std::regex_search(text, std::regex(name_schema(type)["pattern"].get<std::string>()));
    };
    CHECK(matches(Type::name, "per-min"));
    CHECK_FALSE(matches(Type::name, "${NAME}"));
    CHECK_FALSE(matches(Type::name, "a b"));
    CHECK(name_schema(Type::text) == Json(true));
}

TEST_CASE("every definition says what it is, and every reference leads to one") {
    const Json definitions = scalar_definitions();
    for (const auto& [name, definition] : definitions.items()) {
        CAPTURE(name);
        CHECK(definition["description"].get<std::string>().ends_with("."));
        CHECK(definition.contains("type"));
    }
    for (const Field& field : config::fields()) {
        CAPTURE(field.path);
        if (!field.is_section()) CHECK_FALSE(alternatives(scalar_schema(field)).empty());
    }
}

}  // namespace weir::cli
