#include "http/h2_answer.h"

#include <doctest/doctest.h>

#include <string>

#include "http/head_parser.h"

namespace weir::http {

namespace {

std::string text_of(std::span<const H2Line> lines) {
    std::string text;
    for (const H2Line& line : lines) text.append(line.name).append("=").append(line.value).append(";");
    return text;
}

/// As the app has sent it.
struct Answer {
    std::string bytes;
    ResponseHead head;
    explicit Answer(std::string text) : bytes(std::move(text)) {
        REQUIRE_FALSE(parse_response_head(bytes, head));
    }
};

}  // namespace

TEST_CASE("an answer loses what concerned the connection to the app, and gains what weir adds") {
    const Answer answer(
        "HTTP/1.1 200 Fine\r\nServer: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
        "Transfer-Encoding: chunked\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n");
    H2Answer lines;
    const ResponseFacts facts{.body = {.framing = Framing::chunked}, .request_id = "id", .date = "now"};
    CHECK(text_of(lines.head(answer.head, facts)) ==
          ":status=200;Server=x;Set-Cookie=a=b;Set-Cookie=c=d;Date=now;X-Request-ID=id;");
}

TEST_CASE("a length is said where the body has one, and kept where HEAD or 304 asks for it") {
    const Answer answer("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nDate: then\r\n\r\n");
    H2Answer lines;
    ResponseFacts facts{.body = {.framing = Framing::length, .length = 12}, .request_id = "", .date = "now"};
    CHECK(text_of(lines.head(answer.head, facts)) == ":status=200;Date=then;content-length=12;");
    facts.body = {};
    CHECK(text_of(lines.head(answer.head, facts)) == ":status=200;Content-Length=12;Date=then;");
    const Answer none("HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(text_of(lines.head(none.head, facts)) == ":status=204;Date=now;");
}

TEST_CASE("an interim answer has its own fields and no others") {
    const Answer answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\n");
    H2Answer lines;
    CHECK(text_of(lines.interim(answer.head)) == ":status=103;Link=</a>;");
}

TEST_CASE("trailers that may be sent are lines") {
    H2Answer lines;
    CHECK(text_of(lines.trailers("Grpc-Status: 0\r\nContent-Length: 5\r\nX: y\r\n")) == "Grpc-Status=0;X=y;");
    CHECK(lines.trailers("").empty());
}

}  // namespace weir::http
