#include "config/field_table.h"

#include <set>

#include <doctest/doctest.h>

#include "config/draft.h"
#include "config/value.h"

using namespace weir::config;

TEST_CASE("every row can be found, stands below a section, and is documented in one sentence") {
    std::set<std::string_view> before;
    for (const Field& field : fields()) {
        CAPTURE(field.path);
        CHECK(before.insert(field.path).second);
        CHECK(find_field(parent_of(field.path), name_of(field.path)) == &field);
        CHECK((parent_of(field.path).empty() || before.contains(parent_of(field.path))));
        CHECK(field.doc.ends_with('.'));
        CHECK(field.doc.size() < 120);
        CHECK((field.is_section() || field.store != nullptr));
        CHECK((!field.is_list() ||
               (field.list.clear != nullptr && field.list.grow != nullptr && field.list.most > 0)));
        CHECK((field.shorthand.empty() || find_field(field.path, field.shorthand) != nullptr));
    }
}

TEST_CASE("every default and every end of a range is a value that the row itself allows") {
    for (const Field& field : fields()) {
        CAPTURE(field.path);
        if (!field.fallback.empty()) CHECK(parse_value(field, field.fallback).has_value());
        if (!field.range.low.empty()) CHECK(parse_value(field, field.range.low).has_value());
        if (!field.range.high.empty()) CHECK(parse_value(field, field.range.high).has_value());
    }
}

TEST_CASE("an element of a list gets the defaults of its own rows, and leaves the others alone") {
    Settings settings;
    settings.listen.resize(2);
    settings.listen[0].mode = 0600;
    settings.listen[1].mode = 0;
    settings.workers = 7;
    store_defaults(find_field("listen"), settings);
    CHECK(settings.listen[0].mode == 0600);
    CHECK(settings.listen[1].mode == 0660);
    CHECK(settings.workers == 7);
}

TEST_CASE("every quantity has a stated maximum") {
    for (const Field& field : fields()) {
        CAPTURE(field.path);
        switch (field.type) {
            case Type::integer:
            case Type::size:
            case Type::rate:
            case Type::duration:
            case Type::mode: CHECK_FALSE(field.range.high.empty()); break;
            case Type::section:
            case Type::choice:
            case Type::output:
            case Type::host:
            case Type::address:
            case Type::server: CHECK(field.range.high.empty()); break;
        }
    }
}

TEST_CASE("choices are stored as the enumerator of the same place") {
    Settings settings;
    const auto store = [&](std::string_view path, std::string_view text) {
        const Field* field = find_field(path);
        REQUIRE(field != nullptr);
        field->store(settings, *parse_value(*field, text));
    };
    store("upstream.balance", "round_robin");
    CHECK(settings.upstream.balance == Balance::round_robin);
    store("upstream.balance", "least_in_flight");
    CHECK(settings.upstream.balance == Balance::least_in_flight);
    store("log.format", "combined");
    CHECK(settings.log.format == LogFormat::combined);
    store("log.format", "json");
    CHECK(settings.log.format == LogFormat::json);
    store("log.level", "debug");
    CHECK(settings.log.level == LogLevel::debug);
    store("log.level", "info");
    CHECK(settings.log.level == LogLevel::info);
    store("log.level", "warning");
    CHECK(settings.log.level == LogLevel::warning);
    store("log.level", "error");
    CHECK(settings.log.level == LogLevel::error);
}

TEST_CASE("paths and variable names are made of the row's path") {
    CHECK(key_path("listen[].mode") == "listen.mode");
    CHECK(name_of("upstream.servers[]") == "servers");
    CHECK(parent_of("upstream.pool.max_idle") == "upstream.pool");
    CHECK(parent_of("drain").empty());
    CHECK(find_field("upstream.servers") != nullptr);
    CHECK(find_field("listen.mode") == nullptr);
    CHECK(variable_name(*find_field("limits.min_rate")) == "WEIR_LIMITS_MIN_RATE");
    CHECK(variable_name(*find_field("listen")) == "WEIR_LISTEN");
    std::set<std::string> names;
    for (const Field& field : fields())
        CHECK((is_in_list(field) || names.insert(variable_name(field)).second));
}
