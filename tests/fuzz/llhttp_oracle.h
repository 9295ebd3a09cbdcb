// A second reader of the same bytes: llhttp, which is Node's parser. Whatever weir accepts, llhttp must
// understand in the same way, or the two can be played off against each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::fuzz {

enum class MessageKind : uint8_t { request, response };

/// Whether something ended with the very last byte that was fed.
enum class Ending : uint8_t { not_reached, too_early, with_last_byte };

using TextField =
    std::pair<std::string, std::string>;  ///< a name and its value, without the white space around it

/// What llhttp made of some bytes.
struct Heard {
    std::string error;  ///< llhttp's own name for it; empty where it raised none
    Ending head = Ending::not_reached;
    Ending message = Ending::not_reached;
    std::string method;
    std::string target;
    uint16_t status = 0;
    uint8_t minor_version = 0;
    bool chunked = false;
    bool has_length = false;
    uint64_t length = 0;
    bool upgrade = false;
    bool keep_alive = false;
    std::vector<TextField> fields;
    std::vector<TextField> trailers;
    std::string payload;
};

/// Feeds all of `bytes`, the last one by itself. nullopt where this build has no llhttp.
std::optional<Heard> hear(MessageKind kind, std::string_view bytes);

/// llhttp refuses methods it has no name for; nothing can be compared then.
bool llhttp_knows_method(std::string_view name);

}  // namespace weir::fuzz
