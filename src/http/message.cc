#include "http/message.h"

#include "http/char_class.h"
#include "http/list_walk.h"

namespace weir::http {

std::string_view name_of(Version version) {
    switch (version) {
        case Version::http10: return "HTTP/1.0";
        case Version::http11: return "HTTP/1.1";
        case Version::http2: return "HTTP/2";
    }
    return "";
}

bool is_idempotent(Method method) {
    switch (method) {
        case Method::get:
        case Method::head:
        case Method::put:
        case Method::delete_:
        case Method::options:
        case Method::trace: return true;
        case Method::post:
        case Method::patch:
        case Method::connect:
        case Method::other: return false;
    }
    return false;
}

Method method_of(std::string_view name) {
    switch (name.size()) {
        case 3:
            if (name == "GET") return Method::get;
            if (name == "PUT") return Method::put;
            return Method::other;
        case 4:
            if (name == "POST") return Method::post;
            if (name == "HEAD") return Method::head;
            return Method::other;
        case 5:
            if (name == "PATCH") return Method::patch;
            if (name == "TRACE") return Method::trace;
            return Method::other;
        case 6: return name == "DELETE" ? Method::delete_ : Method::other;
        case 7:
            if (name == "OPTIONS") return Method::options;
            if (name == "CONNECT") return Method::connect;
            return Method::other;
        default: return Method::other;
    }
}

Body response_body(const ResponseHead& head, Method request_method) {
    const bool never = head.status < 200 || head.status == 204 || head.status == 304;
    if (never || request_method == Method::head) return {};
    if (head.chunked) return {Framing::chunked, 0};
    if (head.content_length) return {Framing::length, *head.content_length};
    return {Framing::until_close, 0};
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

bool lists_token(std::string_view list, std::string_view token) {
    ListWalk members(list);
    while (const auto member = members.next()) {
        if (equals_ignoring_case(*member, token)) return true;
    }
    return false;
}

}  // namespace weir::http
