// Reads requests as a small app's server does: enough of HTTP/1.1 to be right behind a strict proxy, and to
// stay up whatever it is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "demo/connection.h"

namespace weir::demo {

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
/// Whether a comma-separated list has `token` in it, in any letter case.
[[nodiscard]] bool has_token(std::string_view list, std::string_view token);

struct Header {
    std::string name;
    std::string value;  ///< fields of one name are joined with ", "
};

struct Request {
    std::string method;
    std::string target;
    std::string path;  ///< of the target, without its query
    std::string query;
    bool is_http_1_0 = false;
    bool is_chunked = false;
    bool keeps_alive = true;
    uint64_t content_length = 0;
    std::vector<Header> headers;

    /// "" where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    /// A query parameter's value, not percent-decoded.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

enum class ReadOutcome { request, closed, malformed };

/// Waits for the next request and reads its head, of at most 64 KiB.
[[nodiscard]] ReadOutcome read_request(Connection& connection, Request& request);

/// The payload of one request, with Content-Length or chunked.
class Body {
  public:
    Body(Connection& connection, const Request& request);

    /// The next piece, valid until the next call; empty at the end, or where the client broke off (then
    /// !is_whole()). Asks a client that waits for it to go on ("100 Continue").
    [[nodiscard]] std::string_view read();
    [[nodiscard]] bool is_whole() const { return state_ == State::ended; }
    /// Reads and forgets what is left, up to 1 MiB, so that the next request can be read; false where there
    /// is more.
    [[nodiscard]] bool skip_rest();

  private:
    enum class State { before_chunk, after_chunk, in_payload, ended, broken };

    [[nodiscard]] State begin_chunk();
    [[nodiscard]] State skip_trailers();

    Connection& connection_;
    const bool is_chunked_;
    bool is_client_waiting_;
    State state_;
    uint64_t left_;  ///< of the payload, or of the chunk
};

}  // namespace weir::demo
