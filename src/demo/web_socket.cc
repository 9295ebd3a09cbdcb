#include "demo/web_socket.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "demo/digest.h"

namespace weir::demo {
namespace {

constexpr std::chrono::minutes kPatience{10};
constexpr size_t kKeyLength = 24;
constexpr size_t kMaxControlPayload = 125;

enum class Opcode : uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
enum class CloseStatus : uint16_t { protocol_error = 1002, not_utf8 = 1007, too_big = 1009 };

struct Frame {
    bool is_final = false;
    Opcode opcode = Opcode::text;
    std::string payload;

    [[nodiscard]] bool is_control() const { return static_cast<uint8_t>(opcode) >= 8; }
};

unsigned byte_at(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

std::string accept_value(std::string_view key) {
    Digest digest(Digest::Kind::sha1);
    digest.add(key);
    digest.add("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    return to_base64(digest.finish());
}

/// The bytes of the character `text` begins with; 0 where it is not UTF-8 (RFC 3629).
size_t character_length(std::string_view text) {
    const unsigned first = byte_at(text, 0);
    if (first < 0x80) return 1;
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (size_t i = 1; i < length; ++i) {
        if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
    }
    const unsigned second = byte_at(text, 1);
    const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool is_out_of_range = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return is_overlong || is_out_of_range ? 0 : length;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const size_t length = character_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

class WebSocket {
  public:
    explicit WebSocket(Connection& connection) : connection_(connection) {}
    void run();

  private:
    /// The next frame, unmasked; none when the connection is at its end or was closed for a breach.
    [[nodiscard]] std::optional<Frame> read_frame();
    [[nodiscard]] bool read_length(uint64_t& length);
    [[nodiscard]] bool take(Frame& frame);
    [[nodiscard]] bool take_control(const Frame& frame);
    [[nodiscard]] bool send(Opcode opcode, std::string_view payload) const;
    bool close(CloseStatus status) const;

    Connection& connection_;
    std::optional<Opcode> message_kind_;  ///< of a message begun
    std::string message_;
};

void WebSocket::run() {
    for (auto frame = read_frame(); frame; frame = read_frame()) {
        if (frame->is_control() ? !take_control(*frame) : !take(*frame)) return;
    }
}

std::optional<Frame> WebSocket::read_frame() {
    std::string bytes;
    if (!connection_.read_exactly(bytes, 2)) return std::nullopt;
    const unsigned first = byte_at(bytes, 0);
    const unsigned second = byte_at(bytes, 1);
    Frame frame;
    frame.is_final = (first & 0x80) != 0;
    frame.opcode = static_cast<Opcode>(first & 0x0F);
    uint64_t length = second & 0x7F;
    const bool has_reserved_bits = (first & 0x70) != 0;
    const bool is_masked = (second & 0x80) != 0;
    const bool is_bad_control = frame.is_control() && (length > kMaxControlPayload || !frame.is_final);
    if (has_reserved_bits || !is_masked || is_bad_control) {
        close(CloseStatus::protocol_error);
        return std::nullopt;
    }
    if (!read_length(length)) return std::nullopt;
    if (!frame.is_control() && length > kMaxWebSocketMessage - message_.size()) {
        close(CloseStatus::too_big);
        return std::nullopt;
    }
    std::string mask;
    if (!connection_.read_exactly(mask, 4)) return std::nullopt;
    if (!connection_.read_exactly(frame.payload, static_cast<size_t>(length))) return std::nullopt;
    for (size_t i = 0; i < frame.payload.size(); ++i) {
        frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
    }
    return frame;
}

/// `length` is the 7-bit one and becomes the one it announces.
bool WebSocket::read_length(uint64_t& length) {
    if (length < 126) return true;
    std::string bytes;
    if (!connection_.read_exactly(bytes, length == 126 ? 2 : 8)) return false;
    length = 0;
    for (size_t i = 0; i < bytes.size(); ++i) length = length << 8 | byte_at(bytes, i);
    return true;
}

bool WebSocket::take(Frame& frame) {
    const bool continues = frame.opcode == Opcode::continuation;
    const bool begins = frame.opcode == Opcode::text || frame.opcode == Opcode::binary;
    if ((!continues && !begins) || continues != message_kind_.has_value())
        return close(CloseStatus::protocol_error);
    if (begins) message_kind_ = frame.opcode;
    message_ += frame.payload;
    if (!frame.is_final) return true;
    const auto kind = *message_kind_;
    message_kind_.reset();
    if (kind == Opcode::text && !is_utf8(message_)) return close(CloseStatus::not_utf8);
    const bool was_sent = send(kind, message_);
    message_.clear();
    return was_sent;
}

bool WebSocket::take_control(const Frame& frame) {
    switch (frame.opcode) {
        case Opcode::ping: return send(Opcode::pong, frame.payload);
        case Opcode::pong: return true;
        case Opcode::close:
            if (frame.payload.size() == 1) return close(CloseStatus::protocol_error);
            (void)send(Opcode::close, frame.payload.substr(0, 2));
            return false;
        case Opcode::continuation:
        case Opcode::text:
        case Opcode::binary: break;
    }
    return close(CloseStatus::protocol_error);  // an opcode the RFC reserves
}

bool WebSocket::send(Opcode opcode, std::string_view payload) const {
    std::string bytes(1, static_cast<char>(0x80 | static_cast<unsigned>(opcode)));
    const auto append_length = [&](unsigned marker, int octets) {
        bytes += static_cast<char>(marker);
        for (int i = octets; i-- > 0;) bytes += static_cast<char>(payload.size() >> (8 * i) & 0xFF);
    };
    if (payload.size() < 126) {
        bytes += static_cast<char>(payload.size());
    } else if (payload.size() <= 0xFFFF) {
        append_length(126, 2);
    } else {
        append_length(127, 8);
    }
    return connection_.send(bytes.append(payload));
}

/// Always false: there is nothing to read after it.
bool WebSocket::close(CloseStatus status) const {
    const auto number = static_cast<unsigned>(status);
    const char payload[] = {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
    (void)send(Opcode::close, {payload, sizeof payload});
    return false;
}

}  // namespace

bool is_web_socket_request(const Request& request) {
    return request.method == "GET" && !request.is_http_1_0 &&
           has_token(request.header("Upgrade"), "websocket") &&
           has_token(request.header("Connection"), "upgrade") &&
           request.header("Sec-WebSocket-Version") == "13" &&
           request.header("Sec-WebSocket-Key").size() == kKeyLength;
}

void echo_web_socket(Connection& connection, const Request& request) {
    const auto answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Accept: " +
        accept_value(request.header("Sec-WebSocket-Key")) + "\r\n\r\n";
    connection.set_patience(kPatience);
    if (connection.send(answer)) WebSocket(connection).run();
}

}  // namespace weir::demo
