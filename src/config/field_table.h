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

#include "config/settings.h"

namespace weir::config {

enum class Type : uint8_t {
    section,  ///< a map of the rows below it
    integer,
    size,  ///< in bytes
    rate,  ///< in bytes per second
    duration,
    mode,     ///< permissions, octal
    choice,   ///< one of `choices`
    output,   ///< one of `choices`, or a file's path
    host,     ///< host or host:port, as in a Host field
    address,  ///< where to listen
    server,   ///< where the app listens, as a URL
};

/// A decoded value: nothing where `Field::word` stands, the index of a choice as a number, bytes,
/// permissions.
using Value = std::variant<std::monostate, uint64_t, Duration, std::string, Endpoint>;

using Store = void (*)(Settings&, const Value&);

/// What a list does with its vector: a later source replaces the whole list, then adds one element after the
/// other.
struct ListOf {
    void (*clear)(Settings&) = nullptr;
    void (*grow)(Settings&) = nullptr;  ///< the element's rows store into the last one
    size_t most = 0;                    ///< elements; at least one is needed
};

struct Range {
    std::string_view low;  ///< both in the language of the file; empty: the type has no range
    std::string_view high;
};

struct Field {
    /// "timeout.total". A name that ends in "[]" is a list, written as one element or several: its row, and
    /// the rows below it, describe one element ("listen[]", "listen[].mode").
    std::string_view path;
    Type type = Type::section;
    std::string_view fallback =
        {};  ///< the default, in the language of the file; empty: the key must be given
    Range range = {};
    std::array<std::string_view, 4> choices = {};
    std::string_view word = {};       ///< stands for "no value": "auto", or "~" as the file writes it
    std::string_view shorthand = {};  ///< of a section: the key below it that a bare value is meant for
    ListOf list = {};
    Store store = nullptr;
    std::string_view doc = {};  ///< one sentence for the operator

    [[nodiscard]] bool is_list() const { return path.ends_with("[]"); }
    [[nodiscard]] bool is_section() const { return type == Type::section; }
};

/// All rows, in the order in which an operator reads them. A section stands before the rows below it.
[[nodiscard]] std::span<const Field> fields();

[[nodiscard]] std::string_view parent_of(std::string_view path);  ///< "" at the top
[[nodiscard]] std::string_view name_of(std::string_view path);    ///< last part, without "[]"
[[nodiscard]] std::string key_path(std::string_view path);  ///< as an operator writes it: without any "[]"

/// The row of `name` below the row `scope` ("" at the top), or null.
[[nodiscard]] const Field* find_field(std::string_view scope, std::string_view name);

/// The row that an operator's whole path means, or null. Elements of lists cannot be named.
[[nodiscard]] const Field* find_field(std::string_view key_path);

/// "WEIR_TIMEOUT_TOTAL".
[[nodiscard]] std::string variable_name(const Field& field);

/// Whether the row describes something inside the elements of a list.
[[nodiscard]] bool is_in_list(const Field& field);

template <class T>
void assign(T& place, const Value& value) {
    if constexpr (std::is_same_v<T, std::string>) {
        const std::string* text = std::get_if<std::string>(&value);
        place = text != nullptr ? *text : std::string();
    } else if constexpr (std::is_same_v<T, std::optional<Duration>>) {
        const Duration* duration = std::get_if<Duration>(&value);
        place = duration != nullptr ? std::optional(*duration) : std::nullopt;
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

/// A row's `list`, from a lambda that gives the vector.
template <class Member>
constexpr ListOf list_in(Member, size_t most) {
    return {[](Settings& settings) { Member{}(settings).clear(); },
            [](Settings& settings) { Member{}(settings).emplace_back(); }, most};
}

}  // namespace weir::config
