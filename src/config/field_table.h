// Every key of the language, one row each. The table drives decoding, defaults, bounds, suggestions and `weir
// check`: a new key is a member in settings.h and a row in fields.cc, nothing else.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace weir::config {

enum class Type : uint8_t {
    section,  ///< a map of the rows below it
    integer,
    size,  ///< in bytes
    rate,  ///< in bytes per second
    duration,
    percent,
    mode,     ///< permissions, octal
    choice,   ///< one of `choices`
    output,   ///< one of `choices`, or a file's path
    file,     ///< the path of one that is read
    host,     ///< host or host:port, as in a Host field
    domain,   ///< a name or an address, without a port
    address,  ///< where to listen
    server,   ///< where the app listens, as a URL
    boolean,
    quota,          ///< a number for each window
    key_part,       ///< one of `choices`, or header:NAME or cookie:NAME
    cidr,           ///< an address, or a block of them
    name,           ///< of something that the operator defines
    token,          ///< the name of a header field
    method,         ///< of a request
    media_range,    ///< type/subtype or type/*
    content_type,   ///< type/subtype, with parameters
    origin,         ///< of a page, as browsers send it, or *
    path,           ///< exactly one
    pattern,        ///< of paths
    status_range,   ///< 200-399, or one code
    integer_range,  ///< 1..100, with either end open
    number_range,   ///< the same of decimal fractions
    length_range,   ///< the same from 0 on
    text,
    body,  ///< text with {placeholders}
};

/// A decoded value: nothing where `Field::word` stands, the index of a choice as a number, bytes,
/// permissions.
using Value =
    std::variant<std::monostate, uint64_t, Duration, std::string, Endpoint, ServerUrl, Quota, KeyPart, Cidr,
                 PathPattern, StatusRange, IntegerRange, NumberRange, std::vector<BodyPiece>>;

using Store = void (*)(Settings&, const Value&);

/// What a list does with its vector: a later source replaces the whole list, then adds one element after the
/// other. A map with free keys is a list too, each of whose elements also has a name.
struct ListOf {
    void (*clear)(Settings&) = nullptr;
    void (*grow)(Settings&) = nullptr;  ///< the element's rows store into the last one
    size_t most = 0;                    ///< elements
    size_t least = 1;
    std::string_view word = {};  ///< stands for no element: "~", whatever `least` says, or a word of its own
    void (*on_word)(Settings&) = nullptr;                     ///< what a word of its own does beside that
    void (*set_name)(Settings&, std::string_view) = nullptr;  ///< of a map: of the last element
    Type name_type = Type::text;
};

struct Range {
    std::string_view low;  ///< both in the language of the file; empty: the type has no range
    std::string_view high;
};

struct Field {
    /// "timeout.total". A name that ends in "[]" is a list, written as one element or several, and one that
    /// ends in "{}" a map whose keys are up to the operator: the row, and the rows below it, describe one
    /// element ("listen[]", "listen[].mode").
    std::string_view path;
    Type type = Type::section;
    /// The default, in the language of the file: of a list "[]", "[a, b]" or one element. Empty: the key must
    /// be given.
    std::string_view fallback = {};
    Range range = {};
    std::array<std::string_view, 4> choices = {};
    /// Stands for "no value": "auto", or "~" as the file writes it. Of a section "~": everything below it at
    /// its default.
    std::string_view word = {};
    /// Of a section: the key below it that a bare value is meant for. Nothing at all is meant for it too
    /// where it can be "~" and is not by default; else what is below keeps its defaults.
    std::string_view shorthand = {};
    bool is_secret = false;  ///< shown as "***" wherever it is set
    ListOf list = {};
    Store store = nullptr;
    std::string_view doc = {};  ///< one sentence for the operator

    [[nodiscard]] bool is_list() const { return path.ends_with("[]"); }
    [[nodiscard]] bool is_map() const { return path.ends_with("{}"); }
    [[nodiscard]] bool has_elements() const { return is_list() || is_map(); }
    [[nodiscard]] bool is_section() const { return type == Type::section; }
};

/// All rows, in the order in which an operator reads them. A section stands before the rows below it.
[[nodiscard]] std::span<const Field> fields();

[[nodiscard]] std::string_view parent_of(std::string_view path);  ///< "" at the top
[[nodiscard]] std::string_view name_of(std::string_view path);    ///< last part, without brackets
[[nodiscard]] std::string key_path(std::string_view path);  ///< as an operator writes it: without brackets

/// The row of `name` below the row `scope` ("" at the top), or null.
[[nodiscard]] const Field* find_field(std::string_view scope, std::string_view name);

/// The row that an operator's whole path means, or null. Elements of lists cannot be named.
[[nodiscard]] const Field* find_field(std::string_view key_path);

/// "WEIR_TIMEOUT_TOTAL".
[[nodiscard]] std::string variable_name(const Field& field);

/// Whether the row describes something inside the elements of a list or map.
[[nodiscard]] bool is_in_list(const Field& field);

/// The list or map at the top of the row's path, or the row itself where it is in none.
[[nodiscard]] const Field& outermost(const Field& field);

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsInherited = false;
template <class T>
inline constexpr bool kIsInherited<Inherited<T>> = true;

template <class T>
void assign(T& place, const Value& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<BodyPiece>>) {
        const T* text = std::get_if<T>(&value);
        place = text != nullptr ? *text : T();
    } else if constexpr (kIsInherited<T>) {
        place.is_own = !std::holds_alternative<std::monostate>(value);
        if (place.is_own) assign(place.value, value);
    } else if constexpr (kIsOptional<T>) {
        place.reset();
        if (!std::holds_alternative<std::monostate>(value)) assign(place.emplace(), value);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        const uint64_t* number = std::get_if<uint64_t>(&value);
        place = static_cast<T>(number != nullptr ? *number : 0);
    } else {
        const T* given = std::get_if<T>(&value);
        assert(given != nullptr);
        place = *given;
    }
}

/// A row's `store`, from a lambda without captures that gives the place in Settings.
template <class Member>
constexpr Store into(Member) {
    return [](Settings& settings, const Value& value) { assign(Member{}(settings), value); };
}

/// A row's `list`, from a lambda that gives the vector. The rest of it may be given in `like`.
template <class Member>
constexpr ListOf list_in(Member, size_t most, ListOf like = {}) {
    like.clear = [](Settings& settings) { Member{}(settings).clear(); };
    like.grow = [](Settings& settings) { Member{}(settings).emplace_back(); };
    like.most = most;
    return like;
}

/// The same of a map; the elements have a `name`.
template <class Member>
constexpr ListOf map_in(Member member, size_t most, Type name_type, ListOf like = {}) {
    like = list_in(member, most, like);
    like.set_name = [](Settings& settings, std::string_view name) { Member{}(settings).back().name = name; };
    like.name_type = name_type;
    return like;
}

}  // namespace weir::config
