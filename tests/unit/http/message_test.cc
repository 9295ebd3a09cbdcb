#include "http/message.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "http/field_id.h"

using namespace weir::http;

TEST_CASE("methods are recognised case-sensitively, and unknown ones are other") {
    CHECK(method_of("GET") == Method::get);
    CHECK(method_of("HEAD") == Method::head);
    CHECK(method_of("POST") == Method::post);
    CHECK(method_of("PUT") == Method::put);
    CHECK(method_of("DELETE") == Method::delete_);
    CHECK(method_of("OPTIONS") == Method::options);
    CHECK(method_of("PATCH") == Method::patch);
    CHECK(method_of("TRACE") == Method::trace);
    CHECK(method_of("CONNECT") == Method::connect);
    for (const char* name : {"get", "Get", "GETS", "GE", "", "PROPFIND", "QUERY", "POSTER"}) {
        CHECK(method_of(name) == Method::other);
    }
}

TEST_CASE("only methods that the RFC calls idempotent are") {
    for (const char* name : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
        CHECK(is_idempotent(method_of(name)));
    for (const char* name : {"POST", "PATCH", "CONNECT", "LOCK"}) CHECK_FALSE(is_idempotent(method_of(name)));
}

namespace {

struct NamedId {
    std::string name;
    FieldId id;
};

const NamedId kIds[] = {
    {"Connection", FieldId::connection},
    {"Content-Length", FieldId::content_length},
    {"Content-Type", FieldId::content_type},
    {"Date", FieldId::date},
    {"Expect", FieldId::expect},
    {"Forwarded", FieldId::forwarded},
    {"grpc-timeout", FieldId::grpc_timeout},
    {"Host", FieldId::host},
    {"Keep-Alive", FieldId::keep_alive},
    {"Path-Info", FieldId::path_info},
    {"Proxy-Authenticate", FieldId::proxy_authenticate},
    {"Proxy-Authorization", FieldId::proxy_authorization},
    {"Proxy-Connection", FieldId::proxy_connection},
    {"Referer", FieldId::referer},
    {"Script-Name", FieldId::script_name},
    {"Server", FieldId::server},
    {"TE", FieldId::te},
    {"Trailer", FieldId::trailer},
    {"Transfer-Encoding", FieldId::transfer_encoding},
    {"Upgrade", FieldId::upgrade},
    {"User-Agent", FieldId::user_agent},
    {"X-Forwarded-For", FieldId::x_forwarded_for},
    {"X-Forwarded-Host", FieldId::x_forwarded_host},
    {"X-Forwarded-Proto", FieldId::x_forwarded_proto},
    {"X-Real-IP", FieldId::x_real_ip},
    {"X-Request-Deadline", FieldId::x_request_deadline},
    {"X-Request-ID", FieldId::x_request_id},
    {"X-Request-Start", FieldId::x_request_start},
    {"X-Request-Timeout", FieldId::x_request_timeout},
    {"Traceparent", FieldId::traceparent},
};

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

}  // namespace

TEST_CASE("every known field name is recognised in any case, and nothing that differs by one byte is") {
    for (const NamedId& known : kIds) {
        const std::string& name = known.name;
        const FieldId id = known.id;
        CAPTURE(name);
        CHECK(field_id_of(name) == id);
        CHECK(field_id_of(upper(name)) == id);
        for (size_t i = 0; i < name.size(); ++i) {
            for (int c = 0; c < 256; ++c) {
                std::string other = name;
                other[i] = static_cast<char>(c);
                const bool is_same = std::tolower(static_cast<unsigned char>(name[i])) == std::tolower(c);
                CHECK((field_id_of(other) == id) == is_same);
            }
        }
        CHECK(field_id_of(name + "s") == FieldId::other);
        CHECK(field_id_of(name.substr(1)) == FieldId::other);
    }
    CHECK(field_id_of("") == FieldId::other);
    CHECK(field_id_of("X-Custom") == FieldId::other);
}

TEST_CASE("a folded name is recognised with underscores for hyphens, an unfolded one is not") {
    for (const NamedId& known : kIds) {
        const std::string& name = known.name;
        const FieldId id = known.id;
        std::string underscored = name;
        std::replace(underscored.begin(), underscored.end(), '-', '_');
        CAPTURE(underscored);
        CHECK(folded_field_id_of(name) == id);
        CHECK(folded_field_id_of(underscored) == id);
        if (underscored != name) CHECK(field_id_of(underscored) == FieldId::other);
    }
    CHECK(is_x_forwarded("x_forwarded-Prefix"));
    CHECK(is_x_forwarded("X-Forwarded-For"));
    CHECK_FALSE(is_x_forwarded("X-Forwarded-"));
    CHECK_FALSE(is_x_forwarded("X-Forward-For"));
    CHECK_FALSE(is_x_forwarded(""));
}

TEST_CASE("a list's members are compared whole, trimmed and without case") {
    CHECK(lists_token("close", "close"));
    CHECK(lists_token("Keep-Alive, CLOSE", "close"));
    CHECK(lists_token(" ,\t close\t ,x", "close"));
    CHECK_FALSE(lists_token("closed", "close"));
    CHECK_FALSE(lists_token("close d", "close"));
    CHECK_FALSE(lists_token("", "close"));
    CHECK_FALSE(lists_token("x;close", "close"));
    CHECK(equals_ignoring_case("aBc-1", "AbC-1"));
    CHECK_FALSE(equals_ignoring_case("abc", "abcd"));
    CHECK_FALSE(equals_ignoring_case("a[", "a{"));
    CHECK_FALSE(equals_ignoring_case("-", "\r"));
}

TEST_CASE("the body of a response is framed by method and status first, then by its fields") {
    ResponseHead head;
    head.status = 200;
    CHECK(response_body(head, Method::get).framing == Framing::until_close);
    head.content_length = 5;
    CHECK(response_body(head, Method::get).framing == Framing::length);
    CHECK(response_body(head, Method::get).length == 5);
    CHECK(response_body(head, Method::head).framing == Framing::none);
    for (const int status : {100, 101, 103, 199, 204, 304}) {
        head.status = static_cast<uint16_t>(status);
        CHECK(response_body(head, Method::get).framing == Framing::none);
    }
    head = ResponseHead();
    head.status = 404;
    head.chunked = true;
    CHECK(response_body(head, Method::post).framing == Framing::chunked);
    CHECK(response_body(head, Method::head).framing == Framing::none);
}
