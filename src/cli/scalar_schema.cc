#include "cli/scalar_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/value.h"

namespace weir::cli {

namespace {

using config::Field;
using config::Type;

constexpr std::string_view kInteger = "0|[1-9][0-9]*";
constexpr std::string_view kSigned = "-?(0|[1-9][0-9]*)";
constexpr std::string_view kDecimal = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?";
constexpr std::string_view kSize = "[0-9]+(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB)";
constexpr std::string_view kToken = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}";
constexpr std::string_view kType = "[!#$%&'+.^_`|~0-9A-Za-z-]+";  // a token without a star
/// Escaped is what has to be, and a star, which would stand for everything else.
constexpr std::string_view kPathCharacter =
    "[-A-Za-z0-9._~!$&'()+,;=:@/]|%(0[1-9A-F]|1[0-9A-F]|2[0235A]|3[CEF]|5[BDE]|60|7[BCDF]|[89A-F][0-9A-F])";
constexpr std::string_view kName = "[a-z0-9_-]{1,64}";

/// The largest unit first, each at most once. Written out, since not every reader of schemas looks ahead.
std::string duration_pattern() {
    constexpr std::string_view kUnits[] = {"d", "h", "m", "s", "ms"};
    std::string all;
    for (size_t first = 0; first < std::size(kUnits); ++first) {
        all += fmt::format("{}[0-9]+{}", first == 0 ? "" : "|", kUnits[first]);
        for (size_t next = first + 1; next < std::size(kUnits); ++next)
            all += fmt::format("([0-9]+{})?", kUnits[next]);
    }
    return all;
}

std::string choices_pattern(const Field& field) {
    std::string all;
    for (const std::string_view choice : field.choices)
        if (!choice.empty()) all += fmt::format("{}{}", all.empty() ? "" : "|", choice);
    return all;
}

/// A whole text, or one that is not known yet.
std::string whole(std::string_view pattern) { return fmt::format("^({})$|\\$[{{$]", pattern); }

/// "#/$defs/..."; empty where the schema depends on the row.
std::string_view definition_of(Type type) {
    switch (type) {
        case Type::size: return "size";
        case Type::rate: return "byte_rate";
        case Type::duration: return "duration";
        case Type::percent: return "percent";
        case Type::file: return "file";
        case Type::host: return "host";
        case Type::domain: return "domain";
        case Type::address: return "address";
        case Type::server: return "server";
        case Type::boolean: return "boolean";
        case Type::quota: return "rate";
        case Type::cidr: return "cidr";
        case Type::name: return "name";
        case Type::token: return "field_name";
        case Type::method: return "method";
        case Type::media_range: return "media_range";
        case Type::content_type: return "content_type";
        case Type::origin: return "origin";
        case Type::path: return "path";
        case Type::pattern: return "path_pattern";
        case Type::status_range: return "status_range";
        case Type::integer_range: return "integer_range";
        case Type::number_range: return "number_range";
        case Type::length_range: return "length_range";
        case Type::text:
        case Type::body: return "text";
        case Type::section:
        case Type::integer:
        case Type::mode:
        case Type::choice:
        case Type::output:
        case Type::key_part: return {};
    }
    return {};
}

/// What a text of the type has to match; empty: anything.
std::string pattern_of(Type type) {
    switch (type) {
        case Type::size: return std::string(kSize);
        case Type::rate: return fmt::format("{}/s", kSize);
        case Type::duration: return duration_pattern();
        case Type::percent: return "0*([0-9]{1,2}|100)%";
        case Type::file: return ".*[^/]";
        case Type::host: return "[-A-Za-z0-9._:\\[\\]]{1,255}";
        case Type::domain: return "[-A-Za-z0-9._:%]{1,253}";
        case Type::address:
            return "unix:/.*|\\[[0-9A-Fa-f:.]+(%[-A-Za-z0-9._]+)?\\]:[0-9]+|[-A-Za-z0-9._]*:[0-9]+";
        case Type::server: return "[hH][tT][tT][pP][sS]?://[^/?#@ ]+/?|unix:/([^/].*)?";
        case Type::boolean: return "true|false";
        case Type::quota: return fmt::format("[1-9][0-9]{{0,9}}/(s|min|hour|day|{})", duration_pattern());
        case Type::cidr: return "[0-9A-Fa-f:.]+(/(0|[1-9][0-9]{0,2}))?";
        case Type::name: return std::string(kName);
        case Type::token: return std::string(kToken);
        case Type::method: return "[A-Z][-A-Z0-9_]{0,255}";
        case Type::media_range: return fmt::format("{0}/({0}|\\*)", kType);
        case Type::content_type: return fmt::format("{0}/{0}(;[ -~]*)?", kToken);
        case Type::origin: return "\\*|[A-Za-z][A-Za-z0-9+.-]*://[^/?#*]+";
        case Type::path: return fmt::format("/({})*", kPathCharacter);
        case Type::pattern: return fmt::format("/({}|[{{}}])*\\*?", kPathCharacter);
        case Type::status_range: return "[2-5][0-9]{2}(-[2-5][0-9]{2})?";
        case Type::integer_range: return fmt::format("{0}\\.\\.({0})?|\\.\\.{0}", kSigned);
        case Type::number_range: return fmt::format("{0}\\.\\.({0})?|\\.\\.{0}", kDecimal);
        case Type::length_range: return "[0-9]+\\.\\.[0-9]*|\\.\\.[0-9]+";
        case Type::text:
        case Type::body:
        case Type::section:
        case Type::integer:
        case Type::mode:
        case Type::choice:
        case Type::output:
        case Type::key_part: return {};
    }
    return {};
}

/// YAML reads some texts as numbers or booleans: a name may be `404`, a parameter's default `true`.
Json types_of(Type type) {
    switch (type) {
        case Type::boolean: return {"boolean", "string"};
        case Type::name:
        case Type::status_range: return {"string", "integer"};
        case Type::host:
        case Type::domain:
        case Type::token:
        case Type::file:
        case Type::text:
        case Type::body: return {"string", "number", "boolean"};
        case Type::section:
        case Type::integer:
        case Type::size:
        case Type::rate:
        case Type::duration:
        case Type::percent:
        case Type::mode:
        case Type::choice:
        case Type::output:
        case Type::address:
        case Type::server:
        case Type::quota:
        case Type::key_part:
        case Type::cidr:
        case Type::method:
        case Type::media_range:
        case Type::content_type:
        case Type::origin:
        case Type::path:
        case Type::pattern:
        case Type::integer_range:
        case Type::number_range:
        case Type::length_range: return "string";
    }
    return "string";
}

Json number(std::string_view text) { return std::strtoull(std::string(text).c_str(), nullptr, 10); }

Json definition(Type type) {
    Json made{{"description", fmt::format("{}.", config::what_it_takes(Field{.path = {}, .type = type}))},
              {"type", types_of(type)}};
    auto& description = made["description"].get_ref<std::string&>();
    description.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(description.front())));
    if (const std::string pattern = pattern_of(type); !pattern.empty()) made["pattern"] = whole(pattern);
    if (type == Type::status_range) made.update({{"minimum", 200}, {"maximum", 599}});
    return made;
}

/// Without the word that stands for no value.
Json plain_schema(const Field& field) {
    const std::string_view name = definition_of(field.type);
    if (!name.empty()) return {{"$ref", fmt::format("#/$defs/{}", name)}};
    const Json variable{{"$ref", "#/$defs/variable"}};
    switch (field.type) {
        case Type::integer:
        case Type::mode:
            // YAML 1.2 takes the digits of `0660` for a decimal number.
            return {{"type", {"integer", "string"}},
                    {"minimum", number(field.range.low)},
                    {"maximum", number(field.range.high)},
                    {"pattern", whole(field.type == Type::mode ? "[0-7]{1,5}" : kInteger)}};
        case Type::choice: {
            Json choices = Json::array();
            for (const std::string_view choice : field.choices) {
                if (choice.empty()) continue;
                choices.push_back(choice);
                // YAML takes it for a number where it stands without quotes.
                if (Json number = Json::parse(choice, nullptr, false); number.is_number())
                    choices.push_back(std::move(number));
            }
            return any_of({{{"enum", choices}}, variable});
        }
        case Type::output:
            return {{"type", "string"},
                    {"pattern", whole(fmt::format("{}|.*/.*[^/]", choices_pattern(field)))}};
        case Type::key_part:
            return {{"type", "string"},
                    {"pattern", whole(fmt::format("{}|(header|cookie):{}", choices_pattern(field), kToken))}};
        case Type::section:
        case Type::size:
        case Type::rate:
        case Type::duration:
        case Type::percent:
        case Type::file:
        case Type::host:
        case Type::domain:
        case Type::address:
        case Type::server:
        case Type::boolean:
        case Type::quota:
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
        case Type::body: break;
    }
    return variable;
}

}  // namespace

Json any_of(std::vector<Json> parts) {
    Json all = Json::array();
    for (Json& part : parts) {
        const bool is_nested = part.size() == 1 && part.contains("anyOf");
        for (Json& each : is_nested ? part["anyOf"] : Json::array({part})) {
            if (std::find(all.begin(), all.end(), each) == all.end()) all.push_back(each);
        }
    }
    return all.size() == 1 ? all.front() : Json{{"anyOf", all}};
}

Json scalar_schema(const Field& field) {
    const Json plain = plain_schema(field);
    if (field.word.empty()) return plain;
    const Json word = field.word == "~" ? Json{{"type", "null"}} : Json{{"const", field.word}};
    return any_of({plain, word});
}

Json name_schema(Type type) {
    const std::string pattern = pattern_of(type);
    return pattern.empty() ? Json(true) : Json{{"pattern", fmt::format("^({})$", pattern)}};
}

Json scalar_definitions() {
    Json all{{"variable",
              {{"description", "A value with a variable in it: ${NAME} or ${NAME:-default}."},
               {"type", "string"},
               {"pattern", "\\$[{$]"}}}};
    for (int each = 0; each <= static_cast<int>(Type::body); ++each) {
        const auto type = static_cast<Type>(each);
        const std::string name(definition_of(type));
        if (!name.empty() && !all.contains(name)) all[name] = definition(type);
    }
    return all;
}

}  // namespace weir::cli
