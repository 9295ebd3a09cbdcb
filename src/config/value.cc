#include "config/value.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/body_template.h"
#include "config/identity.h"
#include "config/nearest.h"
#include "config/path_pattern.h"
#include "config/quota.h"
#include "config/ranges.h"
#include "config/server_url.h"
#include "config/status_range.h"
#include "config/text.h"
#include "config/words.h"

namespace weir::config {
namespace {

using Parsed = Result<Value, Wrong>;

constexpr size_t kMaxHostBytes = 255;
constexpr size_t kMaxPathBytes = 4095;  // PATH_MAX without its NUL
constexpr size_t kMaxMessage = 300;
constexpr size_t kMaxTextBytes = 1024;

template <class T>
Parsed to_value(Result<T, Wrong> result) {
    if (!result) return fail(std::move(result.error()));
    return Value(std::move(result.value()));
}

void append(std::string& hint, std::string_view more) {
    if (!hint.empty() && !more.empty()) hint += "; ";
    hint += more;
}

Parsed parse_mode(std::string_view text) {
    const bool is_octal =
        !text.empty() && text.size() <= 5 && text.find_first_not_of("01234567") == std::string_view::npos;
    if (!is_octal)
        return fail(Wrong{quoted(text) + " is not a file mode", "write octal digits, as in `0660`"});
    uint64_t mode = 0;
    for (const char c : text) mode = mode * 8 + static_cast<uint64_t>(c - '0');
    return Value(mode);
}

std::vector<std::string> choices_of(const Field& field) {
    std::vector<std::string> choices;
    for (const std::string_view choice : field.choices) {
        if (!choice.empty()) choices.emplace_back(choice);
    }
    if (!field.word.empty()) choices.emplace_back(field.word);
    return choices;
}

Failure<Wrong> not_a_choice(const Field& field, std::string_view text) {
    const std::string near = nearest(text, choices_of(field));
    return fail(Wrong{fmt::format("{} is not {}", quoted(text), what_it_takes(field)),
                      near.empty() ? std::string() : fmt::format("did you mean `{}`?", near)});
}

Parsed parse_choice(const Field& field, std::string_view text) {
    const auto* const found = std::find(field.choices.begin(), field.choices.end(), text);
    if (text.empty() || found == field.choices.end()) return not_a_choice(field, text);
    return Value(static_cast<uint64_t>(found - field.choices.begin()));
}

/// A bare word is no path: it would be a misspelt `stdout` and quietly make a file of that name.
Parsed parse_output(const Field& field, std::string_view text) {
    const bool is_choice =
        !text.empty() && std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end();
    if (is_choice) return Value(std::string(text));
    if (text.find('/') == std::string_view::npos) {
        Failure<Wrong> failure = not_a_choice(field, text);
        append(failure.error.hint, "a path holds a `/`");
        return failure;
    }
    if (text.ends_with('/')) return fail(Wrong{quoted(text) + " is a directory", "name a file in it"});
    if (text.size() > kMaxPathBytes) return fail(Wrong{"the path is too long", {}});
    return Value(std::string(text));
}

Parsed parse_host(std::string_view text) {
    const auto belongs = [](char c) {
        return is_letter(c) || is_digit(c) || std::string_view(".-_:[]").find(c) != std::string_view::npos;
    };
    if (text.find("://") != std::string_view::npos) {
        return fail(
            Wrong{quoted(text) + " is a URL, not a host", "write the host alone, as in `app.example`"});
    }
    if (text.empty() || text.size() > kMaxHostBytes || !std::all_of(text.begin(), text.end(), belongs)) {
        return fail(
            Wrong{quoted(text) + " is not a host", "write a name or an address, as in `app.example`"});
    }
    return Value(std::string(text));
}

Parsed parse_boolean(std::string_view text) {
    if (text == "true" || text == "false") return Value(uint64_t{text == "true" ? 1U : 0U});
    const std::string lower = lower_case(text);
    const bool means_true = lower == "true" || lower == "yes" || lower == "on" || lower == "1";
    const bool means_false = lower == "false" || lower == "no" || lower == "off" || lower == "0";
    return fail(
        Wrong{quoted(text) + " is neither true nor false",
              means_true || means_false ? fmt::format("did you mean `{}`?", means_true) : std::string()});
}

Parsed parse_text(std::string_view text) {
    if (text.size() <= kMaxTextBytes) return Value(std::string(text));
    return fail(Wrong{"the text is too long", fmt::format("allowed: {} bytes", kMaxTextBytes)});
}

Parsed parse_address(std::string_view text) {
    Result<Endpoint> endpoint = parse_endpoint(text);
    if (endpoint) return Value(std::move(endpoint.value()));
    return fail(Wrong{
        fmt::format("{} is not an address: {}", quoted(text), printable(endpoint.error(), kMaxMessage)), {}});
}

/// Whether it can be read is seen when it is: the rest of weir may run on another machine than `weir check`.
Parsed parse_file(std::string_view text) {
    if (text.empty() || text.ends_with('/'))
        return fail(Wrong{quoted(text) + " is not a file", "write its path, as in `/etc/ssl/app-ca.pem`"});
    if (text.size() > kMaxPathBytes) return fail(Wrong{"the path is too long", {}});
    return Value(std::string(text));
}

Parsed parse_domain(std::string_view text) {
    const std::string_view open = text.find(':') == std::string_view::npos ? "" : "[";
    Result<Endpoint> endpoint = parse_endpoint(fmt::format("{}{}{}:1", open, text, open.empty() ? "" : "]"));
    if (endpoint && !endpoint->is_unix() && endpoint->host == text && !text.empty())
        return Value(std::move(endpoint->host));
    return fail(Wrong{quoted(text) + " is not a name or an address",
                      "write it without a scheme and a port, as in `app.example`"});
}

Parsed parse_unbounded(const Field& field, std::string_view text) {
    switch (field.type) {
        case Type::section: break;
        case Type::integer: return to_value(parse_integer(text));
        case Type::size: return to_value(parse_size(text));
        case Type::rate: return to_value(parse_rate(text));
        case Type::duration: return to_value(parse_duration(text));
        case Type::percent: return to_value(parse_percent(text));
        case Type::mode: return parse_mode(text);
        case Type::choice: return parse_choice(field, text);
        case Type::output: return parse_output(field, text);
        case Type::file: return parse_file(text);
        case Type::host: return parse_host(text);
        case Type::domain: return parse_domain(text);
        case Type::address: return parse_address(text);
        case Type::server: return to_value(parse_server_url(text));
        case Type::boolean: return parse_boolean(text);
        case Type::quota: return to_value(parse_quota(text));
        case Type::key_part: return to_value(parse_key_part(text, field.choices));
        case Type::cidr: return to_value(parse_cidr(text));
        case Type::name: return to_value(parse_name(text));
        case Type::token: return to_value(parse_token(text));
        case Type::method: return to_value(parse_method(text));
        case Type::media_range: return to_value(parse_media_range(text));
        case Type::content_type: return to_value(parse_content_type(text));
        case Type::origin: return to_value(parse_origin(text));
        case Type::path: return to_value(parse_path(text));
        case Type::pattern: return to_value(parse_pattern(text));
        case Type::status_range: return to_value(parse_status_range(text));
        case Type::integer_range: return to_value(parse_integer_range(text));
        case Type::number_range: return to_value(parse_number_range(text));
        case Type::length_range: return to_value(parse_length_range(text));
        case Type::text: return parse_text(text);
        case Type::body: return to_value(parse_body(text));
    }
    return fail(Wrong{"takes a map", {}});
}

/// Values from variables have not passed the checks that the file's text has.
bool is_clean(const Field& field, std::string_view text) {
    const bool may_have_lines = field.type == Type::body;
    while (!text.empty()) {
        const Character character = first_character(text);
        const bool is_layout = may_have_lines && (text.front() == '\n' || text.front() == '\t');
        if (!character.valid || (is_unprintable(character.code) && !is_layout)) return false;
        text.remove_prefix(character.bytes);
    }
    return true;
}

bool is_within(const Field& field, const Value& value) {
    if (field.range.low.empty()) return true;
    const Parsed low = parse_unbounded(field, field.range.low);
    const Parsed high = parse_unbounded(field, field.range.high);
    if (const uint64_t* number = std::get_if<uint64_t>(&value)) {
        return *number >= std::get<uint64_t>(*low) && *number <= std::get<uint64_t>(*high);
    }
    const Duration duration = std::get<Duration>(value);
    return duration >= std::get<Duration>(*low) && duration <= std::get<Duration>(*high);
}

}  // namespace

Result<Value, Wrong> parse_value(const Field& field, std::string_view text) {
    if (!field.word.empty() && text == field.word) return Value(std::monostate{});
    if (!is_clean(field, text)) {
        return fail(
            Wrong{quoted(text) + " holds a control or invisible character, or is not UTF-8", "remove it"});
    }
    Parsed value = parse_unbounded(field, text);
    if (!value) {
        append(value.error().hint, what_is_allowed(field));
        return value;
    }
    if (is_within(field, *value)) return value;
    return fail(Wrong{quoted(text) + " is out of range", what_is_allowed(field)});
}

std::string what_it_takes(const Field& field) {
    switch (field.type) {
        case Type::section: return "a map";
        case Type::integer: return "a whole number";
        case Type::size: return "a size, as in `64KiB`";
        case Type::rate: return "a rate, as in `256B/s`";
        case Type::duration: return "a duration, as in `30s`";
        case Type::percent: return "a percentage, as in `20%`";
        case Type::mode: return "a file mode, as in `0660`";
        case Type::choice: return fmt::format("one of {}", fmt::join(choices_of(field), ", "));
        case Type::output: return fmt::format("a path or one of {}", fmt::join(choices_of(field), ", "));
        case Type::file: return "the path of a file";
        case Type::host: return "a host";
        case Type::domain: return "a name, as in `app.example`";
        case Type::address: return "an address, as in `0.0.0.0:8080` or `unix:/run/weir.sock`";
        case Type::server: return "a URL, as in `http://127.0.0.1:5000` or `unix:/run/app.sock`";
        case Type::boolean: return "true or false";
        case Type::quota: return "a rate, as in `60/min`";
        case Type::key_part: return "ip, route, all, header:NAME or cookie:NAME";
        case Type::cidr: return "an address or a block, as in `10.0.0.0/8`";
        case Type::name: return "a name";
        case Type::token: return "the name of a header field";
        case Type::method: return "a method, as in `POST`";
        case Type::media_range: return "a media type, as in `application/json`";
        case Type::content_type: return "a media type, as in `text/html; charset=utf-8`";
        case Type::origin: return "an origin, as in `https://app.example`";
        case Type::path: return "a path, as in `/healthz`";
        case Type::pattern: return "a path, as in `/reports/*`";
        case Type::status_range: return "a status code or a range, as in `200-399`";
        case Type::integer_range:
        case Type::length_range: return "a range, as in `1..100`";
        case Type::number_range: return "a range, as in `0..1`";
        case Type::text:
        case Type::body: return "a text";
    }
    return {};
}

std::string what_is_allowed(const Field& field) {
    std::string allowed;
    if (!field.range.low.empty())
        allowed = fmt::format("allowed: {} to {}", field.range.low, field.range.high);
    if (!field.word.empty())
        allowed += fmt::format("{}{}", allowed.empty() ? "allowed: " : ", or ", field.word);
    return allowed;
}

}  // namespace weir::config
