#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http/head_parser.h"
#include "http/head_writer.h"
#include "random_source.h"

using namespace weir::http;

namespace {

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Facts for a response to a request with this method.
ResponseFacts facts_for(const ResponseHead& head, Method method = Method::get) {
    ResponseFacts facts;
    facts.body = response_body(head, method);
    return facts;
}

std::string write_whole(const ResponseHead& head, const ResponseFacts& facts) {
    std::vector<char> out(response_head_bound(head, facts));
    const size_t size = write_response_head(head, facts, out.data());
    REQUIRE(size <= out.size());
    return {out.data(), size};
}

std::string write_interim(const std::string& text) {
    ResponseHead head;
    REQUIRE_FALSE(parse_response_head(text, head));
    std::vector<char> out(response_head_bound(head, {}));
    const size_t size = write_interim_head(head, out.data());
    REQUIRE(size <= out.size());
    return {out.data(), size};
}

std::string forward(const std::string& text, Method method = Method::get) {
    ResponseHead head;
    REQUIRE_FALSE(parse_response_head(text, head));
    return write_whole(head, facts_for(head, method));
}

}  // namespace

TEST_CASE("an answer goes on with its phrase and its end-to-end fields, framed anew") {
    CHECK(forward("HTTP/1.0 200 Fine\r\nServer: x\r\nContent-Length: 5\r\nConnection: x-a, close\r\nX-A: "
                  "1\r\nX-B:2\r\n"
                  "Keep-Alive: timeout=5\r\n\r\n") ==
          "HTTP/1.1 200 Fine\r\nServer: x\r\nX-B: 2\r\nContent-Length: 5\r\n\r\n");
    CHECK(forward("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n") ==
          "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(forward("HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\n\r\n") ==
          "HTTP/1.1 200 OK\r\n\r\n");
}

TEST_CASE("the framing is that of the facts, not that of the app") {
    ResponseHead head;
    REQUIRE_FALSE(parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head));
    ResponseFacts facts;
    facts.body = {Framing::chunked, 0};
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    facts.body = {Framing::until_close, 0};
    facts.keep_alive = false;
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST_CASE("Content-Length is kept for HEAD and 304 and dropped for 204 and 1xx") {
    const std::string length = "Content-Length: 5\r\n\r\n";
    CHECK(forward("HTTP/1.1 200 OK\r\n" + length, Method::head) == "HTTP/1.1 200 OK\r\n" + length);
    CHECK(forward("HTTP/1.1 304 Not Modified\r\n" + length) == "HTTP/1.1 304 Not Modified\r\n" + length);
    CHECK(forward("HTTP/1.1 204 No Content\r\n" + length) == "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(forward("HTTP/1.1 103 Early Hints\r\n" + length) == "HTTP/1.1 103 Early Hints\r\n\r\n");
    CHECK(forward("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::head) ==
          "HTTP/1.1 200 OK\r\n\r\n");
}

TEST_CASE("Connection tells each client what it would not assume") {
    ResponseHead head;
    head.status = 200;
    ResponseFacts facts;
    facts.client_version = Version::http10;
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
    facts.keep_alive = false;
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    facts.client_version = Version::http11;
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    facts.keep_alive = true;
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\n\r\n");
}

TEST_CASE("Date and X-Request-ID are added only where the app sent none") {
    ResponseHead head;
    REQUIRE_FALSE(parse_response_head("HTTP/1.1 200 OK\r\ndate: x\r\nx-request-id: y\r\n\r\n", head));
    ResponseFacts facts;
    facts.date = kDate;
    facts.request_id = "id-1";
    CHECK(write_whole(head, facts) == "HTTP/1.1 200 OK\r\ndate: x\r\nx-request-id: y\r\n\r\n");
    head.fields.clear();
    CHECK(write_whole(head, facts) ==
          "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-ID: id-1\r\n\r\n");
}

TEST_CASE("a missing or unclean phrase is replaced by the standard one") {
    ResponseHead head;
    head.status = 429;
    CHECK(write_whole(head, {}) == "HTTP/1.1 429 Too Many Requests\r\n\r\n");
    head.reason_phrase = "a\r\nX: y";
    CHECK(write_whole(head, {}) == "HTTP/1.1 429 Too Many Requests\r\n\r\n");
    head.status = 599;
    head.reason_phrase = "";
    CHECK(write_whole(head, {}) == "HTTP/1.1 599 \r\n\r\n");
}

TEST_CASE("interim answers are passed on, and 101 with the protocol it switches to") {
    CHECK(
        write_interim(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\nConnection: x\r\nX: y\r\n\r\n") ==
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    CHECK(write_interim("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: "
                        "upgrade\r\nSec-WebSocket-Accept: z\r\n\r\n") ==
          "HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: z\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST_CASE("whatever answer was accepted, what is written fits its bound and is a sound answer") {
    RandomSource random;
    INFO("seed: " << random.seed());
    ResponseHead head;
    ResponseHead again;
    for (int round = 0; round < 20000; ++round) {
        const std::string text = random.mutated(
            "HTTP/1.1 103 \r\nContent-Length: 5\r\nConnection: upgrade, x\r\nUpgrade: "
            "w\r\nX:y\r\nDate:\r\nY: zzzz\r\n\r\n");
        if (parse_response_head(text, head)) continue;
        if (random.one_in(2)) head.status = 200;
        CAPTURE(text);
        ResponseFacts facts = facts_for(head);
        const std::string id = random.text(128, "abc");
        facts.request_id = id;
        facts.date = kDate;
        facts.keep_alive = random.one_in(2);
        facts.client_version = random.one_in(2) ? Version::http10 : Version::http11;
        const std::string out = write_whole(head, facts);
        REQUIRE_FALSE(parse_response_head(out, again));
        REQUIRE(again.keep_alive == facts.keep_alive);
        REQUIRE(response_body(again, Method::get).framing == facts.body.framing);
        head.status = 101;
        std::vector<char> interim(response_head_bound(head, {}));
        REQUIRE(write_interim_head(head, interim.data()) <= interim.size());
    }
}

TEST_CASE("the hop-by-hop fields are those of the RFC and the older ones") {
    for (const FieldId id : {FieldId::connection, FieldId::keep_alive, FieldId::proxy_connection, FieldId::te,
                             FieldId::transfer_encoding, FieldId::upgrade, FieldId::proxy_authenticate,
                             FieldId::proxy_authorization}) {
        CHECK(is_hop_by_hop(id));
    }
    for (const FieldId id :
         {FieldId::other, FieldId::trailer, FieldId::host, FieldId::content_length, FieldId::date}) {
        CHECK_FALSE(is_hop_by_hop(id));
    }
}
