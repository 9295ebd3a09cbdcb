// YAML as weir reads it: a small tree in which every key and value knows its place. Stricter than YAML: no
// aliases, anchors, tags, second documents, duplicate keys, keys that are not scalars, or tabs as
// indentation. This file and its source are the only ones that know yaml-cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Place {
    size_t line = 0;    ///< from 1
    size_t column = 0;  ///< from 1, in characters
    size_t offset = 0;  ///< in bytes, from the start of the text

    bool operator==(const Place&) const = default;
};

/// Something wrong at a place: one sentence, and the way out (may be empty).
struct Mistake {
    Place place;
    std::string message;
    std::string hint;
};

enum class Kind : uint8_t {
    nothing,  ///< no value, or `~`
    scalar,
    list,
    map,
    broken,  ///< a mistake was already reported here: nothing to add
};

struct Entry;

struct Node {
    Kind kind = Kind::nothing;
    Place place;
    std::string text;    ///< of a scalar
    bool plain = false;  ///< a scalar without quotes
    size_t verbatim_from =
        0;  ///< bytes from `place` to where `text` stands in the source as it is; npos: nowhere
    std::vector<Node> items;     ///< of a list
    std::vector<Entry> entries;  ///< of a map, in the order of the text
};

struct Entry {
    std::string key;
    Place place;
    Node value;
};

struct Document {
    Node root;                      ///< an empty document is an empty map
    std::vector<Mistake> mistakes;  ///< in the order they were met
    bool complete = true;           ///< false: reading stopped at a mistake, and the tree lacks what follows
};

inline constexpr size_t kMaxDepth = 32;

/// Without a byte-order mark, and with LF for CRLF: the only form that `parse_document` and places speak of.
[[nodiscard]] std::string normalised(std::string_view text);

/// Pure. Never throws for bad input: mistakes are part of the answer.
[[nodiscard]] Document parse_document(std::string_view normalised_text);

/// A scalar as it must be written, quoted where it would not be read back as itself.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

/// The same for a key.
[[nodiscard]] std::string yaml_key(std::string_view text);

}  // namespace weir::config
