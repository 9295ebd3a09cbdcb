// What a request head and a response head say, as views into the bytes they were read from. Source: RFC 9110,
// 9112.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::http {

enum class Version : uint8_t { http10, http11, http2 };

/// "HTTP/1.0", "HTTP/1.1" or "HTTP/2".
[[nodiscard]] std::string_view name_of(Version);

enum class Method : uint8_t { get, head, post, put, delete_, options, patch, trace, connect, other };

/// RFC 9110, 9.2.2: repeating the request has the effect of sending it once. Unknown methods are not.
[[nodiscard]] bool is_idempotent(Method);
/// Case-sensitive, as the RFC has it.
[[nodiscard]] Method method_of(std::string_view name);

/// The fields weir itself reads, removes or writes. Recognised once, while parsing; all others are `other`.
enum class FieldId : uint8_t {
    other,
    connection,
    content_length,
    content_type,
    date,
    expect,
    forwarded,
    grpc_timeout,
    host,
    keep_alive,
    path_info,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    referer,
    script_name,
    server,
    te,
    traceparent,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    x_client_cert_subject,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_proto,
    x_real_ip,
    x_request_deadline,
    x_request_id,
    x_request_start,
    x_request_timeout,
};

/// Case-insensitive. Constant time in the number of known names.
[[nodiscard]] FieldId field_id_of(std::string_view name);

/// One field line. `value` is without the white space around it. Both are views into the head's bytes.
struct Field {
    std::string_view name;
    std::string_view value;
    FieldId id = FieldId::other;
};

/// How the end of a body is found (RFC 9112, 6.3).
enum class Framing : uint8_t { none, length, chunked, until_close };

struct Body {
    Framing framing = Framing::none;
    uint64_t length = 0;  ///< bytes; only with Framing::length
};

/// A request head that passed every check of head_parser.h. Views live as long as the parsed bytes.
/// Reused from one parse to the next, so that its vector is allocated once.
struct RequestHead {
    Method method = Method::other;
    std::string_view method_name;
    std::string_view target;  ///< as it was sent
    std::string_view path;    ///< the path of the target, never empty, starts with "/" ("*" for OPTIONS *)
    std::string_view query;   ///< behind the first "?", without it; empty where there is none
    bool has_query = false;   ///< tells "/a?" from "/a"
    std::string_view
        authority;  ///< of an absolute-form target, else the Host field's value; may be empty (HTTP/1.0)
    std::string_view path_and_query;  ///< what is sent on: origin-form, never empty
    Version version = Version::http11;
    Body body;
    bool keep_alive = true;        ///< the client's wish, version and Connection considered
    bool expect_continue = false;  ///< Expect: 100-continue
    bool te_trailers = false;      ///< TE lists "trailers"
    std::string_view upgrade;      ///< the Upgrade field's value where Connection lists it too, else empty
    std::vector<Field> fields;     ///< every field line in order, Host included
};

/// A response head, likewise. Its body's framing needs the request's method too: see response_body().
struct ResponseHead {
    uint16_t status = 0;
    std::string_view reason_phrase;
    Version version = Version::http11;
    bool keep_alive = true;  ///< the server's wish; false too for a 204 that announces a body
    bool chunked = false;
    std::optional<uint64_t> content_length;
    std::string_view upgrade;
    std::vector<Field> fields;
};

/// Empties a head but for the memory of its fields, so that the next one allocates none.
template <class Head>
void make_blank(Head& head) {
    std::vector<Field> fields = std::move(head.fields);
    fields.clear();
    head = Head();
    head.fields = std::move(fields);
}

/// RFC 9112, 6.3: HEAD, 1xx, 204 and 304 have no body, whatever their fields say.
[[nodiscard]] Body response_body(const ResponseHead&, Method request_method);

/// True where one of the comma-separated members of a list field (`Connection`, `TE`) equals `token`,
/// ignoring case.
[[nodiscard]] bool lists_token(std::string_view list, std::string_view token);
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace weir::http
