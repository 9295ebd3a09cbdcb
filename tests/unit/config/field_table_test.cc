#include "config/field_table.h"

#include <algorithm>
#include <set>
#include <string>

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
        CHECK(field.doc.size() < 130);
        CHECK((field.is_section() || field.store != nullptr));
        CHECK(field.is_map() == (field.list.set_name != nullptr));
        CHECK((!field.has_elements() ||
               (field.list.clear != nullptr && field.list.grow != nullptr && field.list.most > 0)));
        CHECK((field.shorthand.empty() || find_field(field.path, field.shorthand) != nullptr));
    }
}

TEST_CASE("every default and every end of a range is a value that the row itself allows") {
    for (const Field& field : fields()) {
        CAPTURE(field.path);
        if (!field.fallback.empty() && !field.has_elements())
            CHECK(parse_value(field, field.fallback).has_value());
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
            case Type::percent:
            case Type::mode: CHECK_FALSE(field.range.high.empty()); break;
            case Type::section:
            case Type::choice:
            case Type::output:
            case Type::file:
            case Type::host:
            case Type::domain:
            case Type::address:
            case Type::server:
            case Type::boolean:
            case Type::quota:
            case Type::key_part:
            case Type::cidr:
            case Type::name:
            case Type::token:
            case Type::method:
            case Type::media_range:
            case Type::content_type:
            case Type::origin:
            case Type::path:
            case Type::pattern:
            case Type::status_range:
            case Type::integer_range:
            case Type::number_range:
            case Type::length_range:
            case Type::text:
            case Type::body: CHECK(field.range.high.empty()); break;
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
    store("headers.rate_limit", "legacy");
    CHECK(settings.headers.rate_limit == RateLimitHeaders::legacy);
    store("headers.rate_limit", "both");
    CHECK(settings.headers.rate_limit == RateLimitHeaders::both);
    store("headers.rate_limit", "off");
    CHECK(settings.headers.rate_limit == RateLimitHeaders::off);
    store("headers.rate_limit", "draft");
    CHECK(settings.headers.rate_limit == RateLimitHeaders::draft);
    store("errors.format", "body");
    CHECK(settings.errors.format == ErrorFormat::body);
    store("limits.mode", "shadow");
    CHECK(settings.limits.mode.value == Mode::shadow);
    store("limits.mode", "off");
    CHECK(settings.limits.mode.value == Mode::off);
    store("limits.mode", "enforce");
    CHECK(settings.limits.mode.value == Mode::enforce);
    store("log.level", "debug");
    CHECK(settings.log.level == LogLevel::debug);
    store("log.level", "info");
    CHECK(settings.log.level == LogLevel::info);
    store("log.level", "warning");
    CHECK(settings.log.level == LogLevel::warning);
    store("log.level", "error");
    CHECK(settings.log.level == LogLevel::error);
}

TEST_CASE(
    "the limits of a route have the same rows as the global ones, and inherit where those have a default") {
    constexpr std::string_view kOfRequests[] = {"header", "headers", "uri", "min_rate", "memory"};
    size_t shared = 0;
    for (const Field& global : fields()) {
        if (!global.path.starts_with("limits.")) continue;
        CAPTURE(global.path);
        const bool is_of_requests = std::find(std::begin(kOfRequests), std::end(kOfRequests),
                                              name_of(global.path)) != std::end(kOfRequests);
        const Field* own =
            find_field(std::string("routes[].").append(parent_of(global.path)), name_of(global.path));
        CHECK((own == nullptr) == is_of_requests);
        if (own == nullptr) continue;
        ++shared;
        CHECK(own->type == global.type);
        CHECK(own->doc == global.doc);
        CHECK(own->range.high == global.range.high);
        if (!is_in_list(global) && !global.fallback.empty() && !global.has_elements())
            CHECK(own->fallback == "~");
    }
    CHECK(shared == 15);
}

TEST_CASE("rows in lists and maps know the outermost one") {
    const Field* pool = find_field("upstream.pool.max_idle");
    CHECK(&outermost(*pool) == pool);
    const Field* page = find_field("routes[].params.query{}", "int");
    REQUIRE(page != nullptr);
    CHECK(is_in_list(*page));
    CHECK(&outermost(*page) == find_field("routes"));
    CHECK(find_field("routes[].params", "query.int") == nullptr);
    CHECK(find_field("", "upstream.pool") == nullptr);
    CHECK(find_field("routes.params") == nullptr);
    CHECK(find_field("routes[].params") == nullptr);
}

TEST_CASE("paths and variable names are made of the row's path") {
    CHECK(key_path("listen[].mode") == "listen.mode");
    CHECK(key_path("routes[].params.query{}.int") == "routes.params.query.int");
    CHECK(name_of("routes[].params.query{}") == "query");
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
