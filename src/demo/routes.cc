#include "demo/routes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "demo/digest.h"
#include "demo/page.h"
#include "demo/request.h"
#include "demo/web_socket.h"

namespace weir::demo {
namespace {

constexpr uint64_t kDefaultSlowMs = 800;
constexpr uint64_t kMaxSlowMs = 10'000;
constexpr uint64_t kDefaultLargeKib = 1024;
constexpr uint64_t kMaxLargeKib = 65536;
constexpr int kEvents = 20;
constexpr std::chrono::milliseconds kEventInterval{300};
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";

struct Reply {
    std::string_view status = "200 OK";
    std::string_view content_type = kText;
    std::string body = {};
    std::string_view extra_fields = {};  ///< whole lines
};

/// One request while it is answered.
struct Exchange {
    Connection& connection;
    const Request& request;
    Body& body;

    [[nodiscard]] bool is_head() const { return request.method == "HEAD"; }
};

/// True while the connection can take the next request.
using Handler = bool (*)(Exchange&);

std::string head(const Request& request, std::string_view status, std::string_view content_type) {
    std::string text = "HTTP/1.1 ";
    text.append(status)
        .append("\r\nContent-Type: ")
        .append(content_type)
        .append("\r\nCache-Control: no-store\r\n");
    if (request.keeps_alive) {
        text.append("Connection: keep-alive\r\nKeep-Alive: timeout=" + std::to_string(kKeepAliveSeconds) +
                    "\r\n");
    } else {
        text += "Connection: close\r\n";
    }
    return text;
}

bool send_reply(Exchange& exchange, const Reply& reply) {
    auto text = head(exchange.request, reply.status, reply.content_type);
    text.append(reply.extra_fields);
    text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
    if (!exchange.is_head()) text += reply.body;
    return exchange.connection.send(text);
}

bool send_text(Exchange& exchange, std::string text) {
    return send_reply(exchange, {.body = std::move(text)});
}

bool send_json(Exchange& exchange, std::string json) {
    return send_reply(exchange, {.content_type = kJson, .body = std::move(json)});
}

/// What is not printable ASCII is escaped byte by byte: the app does not ask what charset a field was in.
std::string quoted(std::string_view text) {
    std::string json = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7F) {
            json += "\\u00" + to_hex({&c, 1});
            continue;
        }
        if (c == '"' || c == '\\') json += '\\';
        json += c;
    }
    return json + "\"";
}

/// A whole number from the query, cut down to `most`; none where it is not a number.
std::optional<uint64_t> number_parameter(const Request& request, std::string_view name, uint64_t otherwise,
                                         uint64_t most) {
    const auto text = request.parameter(name);
    if (!text) return otherwise;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (end != text->data() + text->size() || text->empty()) return std::nullopt;
    return error == std::errc{} ? std::min(value, most) : most;
}

bool send_bad_number(Exchange& exchange, std::string_view name) {
    return send_reply(exchange,
                      {.status = "400 Bad Request", .body = std::string(name) + " is not a whole number\n"});
}

bool send_page(Exchange& exchange) {
    return send_reply(exchange, {.content_type = "text/html; charset=utf-8", .body = std::string(page())});
}

bool send_fast(Exchange& exchange) { return send_text(exchange, "fast\n"); }

bool send_health(Exchange& exchange) { return send_text(exchange, "ok\n"); }

bool send_slow(Exchange& exchange) {
    const auto wait = number_parameter(exchange.request, "ms", kDefaultSlowMs, kMaxSlowMs);
    if (!wait) return send_bad_number(exchange, "ms");
    if (!exchange.connection.sleep(std::chrono::milliseconds(*wait))) return false;
    return send_text(exchange, "slow: " + std::to_string(*wait) + " ms\n");
}

bool send_failure(Exchange& exchange) {
    return send_reply(exchange,
                      {.status = "500 Internal Server Error", .body = "the sample app failed, as asked\n"});
}

bool crash(Exchange&) { return false; }

bool send_stream(Exchange& exchange) {
    const bool is_chunked = !exchange.request.is_http_1_0;
    auto text = head(exchange.request, "200 OK", "text/event-stream");
    if (is_chunked) text += "Transfer-Encoding: chunked\r\n";
    if (!exchange.connection.send(text + "\r\n") || exchange.is_head()) return exchange.is_head();
    for (int i = 1; i <= kEvents; ++i) {
        if (i > 1 && !exchange.connection.sleep(kEventInterval)) return false;
        auto event = "id: " + std::to_string(i) + "\ndata: event " + std::to_string(i) + " of " +
                     std::to_string(kEvents) + "\n\n";
        if (is_chunked) {
            char size[16];
            const auto* const end = std::to_chars(size, size + sizeof size, event.size(), 16).ptr;
            event.insert(0, "\r\n")
                .insert(0, std::string_view(size, static_cast<size_t>(end - size)))
                .append("\r\n");
        }
        if (!exchange.connection.send(event)) return false;
    }
    return is_chunked && exchange.connection.send("0\r\n\r\n");
}

bool take_upload(Exchange& exchange) {
    if (exchange.request.method != "POST" && exchange.request.method != "PUT") {
        return send_reply(exchange, {.status = "405 Method Not Allowed",
                                     .body = "POST or PUT a body to /upload\n",
                                     .extra_fields = "Allow: POST, PUT\r\n"});
    }
    Digest digest(Digest::Kind::sha256);
    uint64_t bytes = 0;
    for (auto piece = exchange.body.read(); !piece.empty(); piece = exchange.body.read()) {
        digest.add(piece);
        bytes += piece.size();
    }
    if (!exchange.body.is_whole()) return false;
    return send_json(exchange, "{\"bytes\":" + std::to_string(bytes) + ",\"sha256\":\"" +
                                   to_hex(digest.finish()) + "\"}\n");
}

bool send_large(Exchange& exchange) {
    const auto kib = number_parameter(exchange.request, "kib", kDefaultLargeKib, kMaxLargeKib);
    if (!kib) return send_bad_number(exchange, "kib");
    std::string block;
    while (block.size() < 1024) block += "The river rises; the weir holds the valley's pace, day by day.\n";
    block.resize(1023);
    block += '\n';
    auto text = head(exchange.request, "200 OK", kText);
    text += "Content-Length: " + std::to_string(*kib * block.size()) + "\r\n\r\n";
    if (!exchange.connection.send(text)) return false;
    if (exchange.is_head()) return true;
    std::string piece;
    for (int i = 0; i < 64; ++i) piece += block;
    for (uint64_t left = *kib; left > 0;) {
        const auto blocks = std::min<uint64_t>(left, 64);
        if (!exchange.connection.send(std::string_view(piece).substr(0, blocks * block.size()))) return false;
        left -= blocks;
    }
    return true;
}

bool send_echo(Exchange& exchange) {
    const auto& request = exchange.request;
    std::string json = "{\n  \"method\": " + quoted(request.method) +
                       ",\n  \"target\": " + quoted(request.target) + ",\n  \"headers\": {";
    const char* separator = "\n";
    for (const auto& header : request.headers) {
        json += separator;
        json += "    " + quoted(header.name) + ": " + quoted(header.value);
        separator = ",\n";
    }
    return send_json(exchange, json + "\n  }\n}\n");
}

bool serve_web_socket(Exchange& exchange) {
    if (is_web_socket_request(exchange.request)) {
        echo_web_socket(exchange.connection, exchange.request);
        return false;
    }
    return send_reply(exchange, {.status = "426 Upgrade Required",
                                 .body = "/ws speaks WebSocket, version 13\n",
                                 .extra_fields = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"});
}

bool send_not_found(Exchange& exchange) {
    return send_reply(exchange, {.status = "404 Not Found", .body = "the sample app has no such route\n"});
}

struct Route {
    std::string_view path;
    Handler handler;
};

constexpr std::array<Route, 11> kRoutes = {{{"/", send_page},
                                            {"/fast", send_fast},
                                            {"/slow", send_slow},
                                            {"/fail", send_failure},
                                            {"/crash", crash},
                                            {"/stream", send_stream},
                                            {"/upload", take_upload},
                                            {"/large", send_large},
                                            {"/echo", send_echo},
                                            {"/ws", serve_web_socket},
                                            {"/health", send_health}}};

bool answer(Exchange& exchange) {
    const auto* const route = std::ranges::find(kRoutes, exchange.request.path, &Route::path);
    const auto handler = route == kRoutes.end() ? send_not_found : route->handler;
    return handler(exchange) && exchange.request.keeps_alive && exchange.body.skip_rest();
}

}  // namespace

void serve(Connection& connection) {
    connection.set_patience(std::chrono::seconds(kKeepAliveSeconds));
    Request request;
    for (;;) {
        switch (read_request(connection, request)) {
            case ReadOutcome::closed: return;
            case ReadOutcome::malformed:
                (void)connection.send(
                    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                return;
            case ReadOutcome::request: break;
        }
        Body body(connection, request);
        Exchange exchange{connection, request, body};
        if (!answer(exchange)) return;
    }
}

}  // namespace weir::demo
