// Raw frames of HTTP/2 (RFC 9113, 4.1), for tests that play the client byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::http::frames {

inline constexpr uint8_t kData = 0, kHeaders = 1, kPriority = 2, kReset = 3, kSettings = 4, kPing = 6,
                         kGoaway = 7, kWindowUpdate = 8, kContinuation = 9;
inline constexpr uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4, kPadded = 8;

inline std::string number(uint32_t value, int bytes = 4) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
    return text;
}

inline std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload = {}) {
    return number(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
           static_cast<char>(flags) + number(stream) + std::string(payload);
}

inline std::string preface(std::string_view settings = {}) {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, settings);
}

/// HPACK's plainest: literal, not indexed, without Huffman (RFC 7541, 6.2.2). Up to 126 bytes each.
inline std::string literal(std::string_view name, std::string_view value) {
    std::string text(1, '\0');
    for (std::string_view each : {name, value}) text.append(1, static_cast<char>(each.size())).append(each);
    return text;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline std::string block(const Pairs& pairs) {
    std::string text;
    for (const auto& [name, value] : pairs) text += literal(name, value);
    return text;
}

inline std::string get_block(std::string_view path = "/") {
    return block(
        {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", std::string(path)}});
}

inline std::string get(uint32_t stream, std::string_view path = "/") {
    return frame(kHeaders, kEndStream | kEndHeaders, stream, get_block(path));
}

/// What stands in a run of whole frames.
struct Frame {
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    std::string payload;

    /// Of a RST_STREAM, WINDOW_UPDATE (at 0) or GOAWAY (at 4).
    [[nodiscard]] uint32_t number_at(size_t at) const {
        uint32_t value = 0;
        for (size_t i = at; i < at + 4 && i < payload.size(); ++i)
            value = value << 8 | static_cast<unsigned char>(payload[i]);
        return value;
    }
    [[nodiscard]] bool is_last() const { return (flags & kEndStream) != 0; }
};

inline std::vector<Frame> parse(std::string_view bytes) {
    std::vector<Frame> frames;
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(bytes[at]); };
    while (bytes.size() >= 9) {
        const size_t length = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
        const uint32_t stream =
            uint32_t{byte(5)} << 24 | uint32_t{byte(6)} << 16 | uint32_t{byte(7)} << 8 | byte(8);
        if (bytes.size() < 9 + length) break;
        frames.push_back({byte(3), byte(4), stream, std::string(bytes.substr(9, length))});
        bytes.remove_prefix(9 + length);
    }
    return frames;
}

}  // namespace weir::http::frames
