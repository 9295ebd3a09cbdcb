#include "demo/request.h"

#include <algorithm>
#include <charconv>

namespace weir::demo {
namespace {

constexpr size_t kMaxHeadBytes = 65536;
constexpr size_t kMaxHeaders = 200;
constexpr size_t kMaxChunkLine = 4096;
constexpr size_t kMaxSkippedBytes = 1 << 20;
constexpr size_t kPieceBytes = 16384;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<uint64_t> parse_number(std::string_view text, int base) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool parse_request_line(std::string_view line, Request& request) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == 0 || last <= first + 1) return false;
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
    request.is_http_1_0 = version == "HTTP/1.0";
    const size_t query = request.target.find('?');
    request.path = request.target.substr(0, query);
    if (query != std::string::npos) request.query = request.target.substr(query + 1);
    return request.target.find(' ') == std::string::npos;
}

bool add_header(std::string_view line, Request& request) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const auto name = line.substr(0, colon);
    if (name.find_first_of(" \t") != std::string_view::npos) return false;
    const auto value = trimmed(line.substr(colon + 1));
    for (auto& header : request.headers) {
        if (!equal_ignoring_case(header.name, name)) continue;
        header.value.append(", ").append(value);
        return true;
    }
    if (request.headers.size() >= kMaxHeaders) return false;
    request.headers.push_back({std::string(name), std::string(value)});
    return true;
}

/// What RFC 9112, 6.3 says of a request's length, where it is not an error.
bool settle_framing(Request& request) {
    const auto coding = request.header("Transfer-Encoding");
    const auto length = request.header("Content-Length");
    request.is_chunked = !coding.empty();
    if (request.is_chunked) return equal_ignoring_case(coding, "chunked") && length.empty();
    if (length.empty()) return true;
    const auto number = parse_number(length, 10);
    request.content_length = number.value_or(0);
    return number.has_value();
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        if (equal_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

std::string_view Request::header(std::string_view name) const {
    for (const auto& header : headers) {
        if (equal_ignoring_case(header.name, name)) return header.value;
    }
    return {};
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        const size_t equals = std::min(one.find('='), one.size());
        if (one.substr(0, equals) == name) return one.substr(std::min(equals + 1, one.size()));
    }
    return std::nullopt;
}

ReadOutcome read_request(Connection& connection, Request& request) {
    request = {};
    std::string line;
    // An empty line before a request is skipped (RFC 9112, 2.2).
    for (int i = 0; line.empty(); ++i) {
        if (i == 2 || !connection.read_line(line, kMaxHeadBytes)) return ReadOutcome::closed;
    }
    if (!parse_request_line(line, request)) return ReadOutcome::malformed;
    size_t left = kMaxHeadBytes;
    for (;;) {
        left -= std::min(line.size(), left);
        if (!connection.read_line(line, left)) return ReadOutcome::malformed;
        if (line.empty()) break;
        if (!add_header(line, request)) return ReadOutcome::malformed;
    }
    const auto wish = request.header("Connection");
    request.keeps_alive = request.is_http_1_0 ? has_token(wish, "keep-alive") : !has_token(wish, "close");
    return settle_framing(request) ? ReadOutcome::request : ReadOutcome::malformed;
}

Body::Body(Connection& connection, const Request& request)
    : connection_(connection),
      is_chunked_(request.is_chunked),
      is_client_waiting_(equal_ignoring_case(request.header("Expect"), "100-continue") &&
                         !request.is_http_1_0),
      state_(is_chunked_                   ? State::before_chunk
             : request.content_length == 0 ? State::ended
                                           : State::in_payload),
      left_(request.content_length) {}

std::string_view Body::read() {
    if (state_ == State::ended || state_ == State::broken) return {};
    if (is_client_waiting_) {
        is_client_waiting_ = false;
        if (!connection_.send("HTTP/1.1 100 Continue\r\n\r\n")) state_ = State::broken;
    }
    if (state_ == State::before_chunk || state_ == State::after_chunk) state_ = begin_chunk();
    if (state_ != State::in_payload) return {};
    const auto piece = connection_.read_some(static_cast<size_t>(std::min<uint64_t>(left_, kPieceBytes)));
    left_ -= piece.size();
    if (piece.empty()) {
        state_ = State::broken;
    } else if (left_ == 0) {
        state_ = is_chunked_ ? State::after_chunk : State::ended;
    }
    return piece;
}

Body::State Body::begin_chunk() {
    std::string line;
    if (state_ == State::after_chunk && (!connection_.read_line(line, 2) || !line.empty()))
        return State::broken;
    if (!connection_.read_line(line, kMaxChunkLine)) return State::broken;
    const auto size = parse_number(trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
    if (!size) return State::broken;
    left_ = *size;
    return left_ == 0 ? skip_trailers() : State::in_payload;
}

Body::State Body::skip_trailers() {
    std::string line;
    for (size_t i = 0; i < kMaxHeaders; ++i) {
        if (!connection_.read_line(line, kMaxChunkLine)) return State::broken;
        if (line.empty()) return State::ended;
    }
    return State::broken;
}

bool Body::skip_rest() {
    if (is_client_waiting_ && state_ != State::ended)
        return false;  // it may send its payload or not: nobody knows
    size_t skipped = 0;
    for (auto piece = read(); !piece.empty(); piece = read()) {
        skipped += piece.size();
        if (skipped > kMaxSkippedBytes) return false;
    }
    return is_whole();
}

}  // namespace weir::demo
