#include "http/head_writer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hostile_heads.h"
#include "http/head_parser.h"
#include "random_source.h"

using namespace weir::http;

namespace {

RequestFacts some_facts() {
    RequestFacts facts;
    facts.client_address = "192.0.2.7";
    facts.request_id = "id-1";
    facts.scheme = "https";
    return facts;
}

/// Writes into memory of exactly the promised size, where the sanitizer sees a byte too many.
std::string write_whole(const RequestHead& head, const RequestFacts& facts) {
    std::vector<char> out(request_head_bound(head, facts));
    size_t size = write_request_head(head, facts, out.data());
    size += write_request_framing(head.method, head.body, out.data() + size);
    REQUIRE(size <= out.size());
    return {out.data(), size};
}

std::string forward(const std::string& text, const RequestFacts& facts = some_facts()) {
    RequestHead head;
    REQUIRE_FALSE(parse_request_head(text, {}, head));
    return write_whole(head, facts);
}

const std::string kAdded =
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nX-Real-IP: "
    "192.0.2.7\r\nX-Request-ID: id-1\r\n";

/// What becomes of a GET with these fields, without what is written for every request.
std::string fields_forwarded(const std::string& fields) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
    const std::string out = forward(start + fields + "\r\n");
    REQUIRE(out.substr(0, start.size()) == start);
    const size_t added = out.find(kAdded);
    REQUIRE(added != std::string::npos);
    REQUIRE(out.substr(added) == kAdded + "\r\n");
    return out.substr(start.size(), added - start.size());
}

std::string framing(Method method, Body body) {
    char out[kMaxFraming];
    const size_t size = write_request_framing(method, body, out);
    REQUIRE(size <= kMaxFraming);
    return {out, size};
}

}  // namespace

TEST_CASE("an ordinary request goes on with Host first, its own fields in order and weir's behind them") {
    CHECK(forward("GET /a?b HTTP/1.0\r\nAccept:*/*\r\nHost: a\r\nX-Y:  z \r\nX-T:\tt\r\n\r\n") ==
          "GET /a?b HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX-Y: z\r\nX-T: t\r\n" + kAdded + "\r\n");
    CHECK(forward("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n").substr(0, 21) == "PROPFIND / HTTP/1.1\r\n");
}

TEST_CASE("an absolute-form target goes on in origin-form with its authority as Host") {
    const std::string out = forward("GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(out.find("GET /x?y HTTP/1.1\r\nHost: b:81\r\n") == 0);
    CHECK(out.find("X-Forwarded-Host: b:81\r\n") != std::string::npos);
    CHECK(out.find("Host: a") == std::string::npos);
}

TEST_CASE("a configured Host is sent to the app, and the client's goes into X-Forwarded-Host") {
    RequestFacts facts = some_facts();
    facts.host = "internal";
    const std::string out = forward("GET / HTTP/1.1\r\nHost: a\r\n\r\n", facts);
    CHECK(out.find("\r\nHost: internal\r\n") != std::string::npos);
    CHECK(out.find("\r\nX-Forwarded-Host: a\r\n") != std::string::npos);
    CHECK(forward("GET / HTTP/1.0\r\n\r\n", facts).find("X-Forwarded-Host") == std::string::npos);
}

TEST_CASE("hop-by-hop fields stay behind, end-to-end ones go on") {
    CHECK(fields_forwarded(
              "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: gzip\r\n"
              "Proxy-Authorization: x\r\nUpgrade: h2c\r\nTrailer: X-Sum\r\nAuthorization: y\r\n") ==
          "Trailer: X-Sum\r\nAuthorization: y\r\n");
}

TEST_CASE("fields that any Connection field names stay behind, in whatever case") {
    CHECK(fields_forwarded("X-A: 1\r\nConnection: x-a, X-b\r\nx-B: 2\r\nX-C: 3\r\n"
                           "Connection: x-d, close\r\nX-D: 4\r\nClose: 5\r\n") == "X-C: 3\r\n");
}

TEST_CASE("Connection cannot take away what weir writes itself") {
    const std::string fields =
        "Connection: host, content-length, x-forwarded-for, x-request-id, x-forwarded-proto";
    const std::string out =
        forward("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" + fields + "\r\n\r\n");
    CHECK(out == "PUT / HTTP/1.1\r\nHost: a\r\n" + kAdded + "Content-Length: 3\r\n\r\n");
}

TEST_CASE("what a client says of forwarding, and Expect, do not go on") {
    CHECK(fields_forwarded(
              "X-Forwarded-For: 1\r\nX-Forwarded-Prefix: /p\r\nForwarded: for=1\r\nX-Request-ID: q\r\n"
              "X-Real-IP: 1\r\nX_Real_IP: 1\r\n"
              "Expect: 100-continue\r\nX-Forwarded: kept\r\n") == "X-Forwarded: kept\r\n");
}

TEST_CASE("whom a client's certificate is for is said by weir alone") {
    const std::string claims =
        "X-Client-Cert-Subject: CN=a\r\nx_client_cert-subject: CN=b\r\nX-CLIENT-CERT-SUBJECT: CN=c\r\n";
    CHECK(fields_forwarded(claims).empty());
    RequestFacts facts = some_facts();
    facts.client_certificate = "CN=known";
    const std::string out = forward("GET / HTTP/1.1\r\nHost: a\r\n" + claims + "\r\n", facts);
    CHECK(out.find("X-Client-Cert-Subject: CN=known\r\n") != std::string::npos);
    for (const char* claimed : {"CN=a", "CN=b", "CN=c"}) CHECK(out.find(claimed) == std::string::npos);
}

TEST_CASE("what a trusted proxy received in X-Forwarded-For stays, and its own address comes behind it") {
    RequestFacts facts = some_facts();
    facts.proxy_address = "10.0.0.1";
    const auto chain_of = [&](const std::string& fields) {
        const std::string out = forward("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", facts);
        const size_t begin = out.find("X-Forwarded-For: ");
        REQUIRE(begin == out.rfind("X-Forwarded-For: "));
        return out.substr(begin + 17, out.find("\r\n", begin) - begin - 17);
    };
    CHECK(chain_of("X-Forwarded-For: 1.1.1.1,192.0.2.7\r\n") == "1.1.1.1,192.0.2.7, 10.0.0.1");
    CHECK(chain_of(
              "X-Forwarded-For: 1.1.1.1\r\nX-Y: z\r\nX-Forwarded-For:\r\nX-Forwarded-For: 192.0.2.7\r\n") ==
          "1.1.1.1, 192.0.2.7, 10.0.0.1");
    CHECK(chain_of("X_Forwarded_For: 1.1.1.1\r\n") == "192.0.2.7, 10.0.0.1");
    facts.client_address = facts.proxy_address;
    CHECK(chain_of("") == "10.0.0.1");
    CHECK(chain_of("X-Forwarded-For: unknown\r\n") == "unknown, 10.0.0.1");
}

TEST_CASE("what the client asked a trusted proxy for goes into X-Forwarded-Host") {
    RequestFacts facts = some_facts();
    facts.forwarded_host = "shop.example";
    const std::string out = forward("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: b\r\n\r\n", facts);
    CHECK(out.find("\r\nHost: a\r\n") != std::string::npos);
    CHECK(out.find("\r\nX-Forwarded-Host: shop.example\r\n") != std::string::npos);
    CHECK(out.find("X-Forwarded-Host: b") == std::string::npos);
}

TEST_CASE("names that a CGI-style app takes for weir's or for framing ones do not go on") {
    CHECK(
        fields_forwarded(
            "Content_Length: 5\r\nTransfer_Encoding: chunked\r\nX_Forwarded_For: 1\r\nX-Forwarded_Host: b\r\n"
            "x_forwarded_prefix: /\r\nX_REQUEST_ID: q\r\nProxy_Connection: x\r\nKeep_Alive: x\r\nX_Custom: "
            "y\r\n"
            "User_Agent: z\r\n") == "X_Custom: y\r\nUser_Agent: z\r\n");
}

TEST_CASE("the client's request start and deadline go on only where weir writes none") {
    const std::string head =
        "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Start: t=1\r\nX_Request_Deadline: 5\r\n\r\n";
    RequestFacts facts = some_facts();
    CHECK(forward(head, facts) == "GET / HTTP/1.1\r\nHost: a\r\n" + kAdded + "\r\n");
    facts.drop_request_start = false;
    CHECK(forward(head, facts) == "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Start: t=1\r\n" + kAdded + "\r\n");
    facts.drop_deadline = false;
    CHECK(forward(head, facts).find("X_Request_Deadline: 5\r\n") != std::string::npos);
}

TEST_CASE("an upgrade and the wish for trailers are written anew with their Connection") {
    CHECK(fields_forwarded("Connection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n") ==
          "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    CHECK(fields_forwarded("TE: gzip, trailers\r\nConnection: TE\r\n") ==
          "TE: trailers\r\nConnection: TE\r\n");
    CHECK(fields_forwarded("TE: trailers\r\nConnection: upgrade, te\r\nUpgrade: x\r\n") ==
          "Upgrade: x\r\nTE: trailers\r\nConnection: Upgrade, TE\r\n");
}

TEST_CASE("framing follows the body, and its absence is stated where the method suggests one") {
    CHECK(framing(Method::get, {Framing::length, UINT64_MAX}) ==
          "Content-Length: 18446744073709551615\r\n\r\n");
    CHECK(framing(Method::get, {Framing::length, 0}) == "Content-Length: 0\r\n\r\n");
    CHECK(framing(Method::put, {Framing::chunked, 0}) == "Transfer-Encoding: chunked\r\n\r\n");
    for (const Method method : {Method::post, Method::put, Method::patch}) {
        CHECK(framing(method, {}) == "Content-Length: 0\r\n\r\n");
    }
    for (const Method method : {Method::get, Method::delete_, Method::other})
        CHECK(framing(method, {}) == "\r\n");
}

TEST_CASE(
    "whatever head was accepted, what is written fits its bound and is itself a sound head with the same "
    "framing") {
    RandomSource random;
    INFO("seed: " << random.seed());
    const auto& heads = hostile_heads();
    RequestHead head;
    RequestHead again;
    for (int round = 0; round < 30000; ++round) {
        std::string text = heads[random.below(heads.size())].bytes;
        if (!random.one_in(4)) text = random.mutated(text);
        if (parse_request_head(text, {}, head)) continue;
        CAPTURE(text);
        RequestFacts facts = some_facts();
        const std::string id = random.text(128, "abc");
        facts.request_id = id;
        if (head.authority.empty()) facts.host = "internal";
        const std::string out = write_whole(head, facts);
        CAPTURE(out);
        REQUIRE_FALSE(parse_request_head(out, {}, again));
        REQUIRE(again.method_name == head.method_name);
        REQUIRE(again.path_and_query == head.path_and_query);
        REQUIRE(again.upgrade == head.upgrade);
        if (head.body.framing == Framing::none) REQUIRE(again.body.length == 0);
        if (head.body.framing != Framing::none) REQUIRE(again.body.framing == head.body.framing);
        REQUIRE(again.body.length == head.body.length);
    }
}

TEST_CASE("fields that were put together by hand are written like those that were read") {
    RequestHead head;
    head.method_name = "GET";
    head.path_and_query = "/";
    head.authority = "a";
    // Name and value two bytes apart in memory, yet not as a line has them.
    const std::string joined = "X-A__1";
    head.fields.push_back(
        {std::string_view(joined).substr(0, 3), std::string_view(joined).substr(5), FieldId::other});
    head.fields.push_back({"X-B", {}, FieldId::other});
    CHECK(write_whole(head, some_facts()) ==
          "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: \r\n" + kAdded + "\r\n");
}

TEST_CASE(
    "the bound holds too for an upgrade that was put together by hand, with the longest framing behind it") {
    const std::string protocol(100, 'w');
    RequestHead head;
    head.method_name = "GET";
    head.path_and_query = "/";
    head.authority = "a";
    head.upgrade = protocol;
    head.te_trailers = true;
    head.body = {Framing::length, UINT64_MAX};
    RequestFacts facts = some_facts();
    const std::string subject(3000, 's');
    facts.client_certificate = subject;
    CHECK(write_whole(head, facts).find("Connection: Upgrade, TE\r\n") != std::string::npos);
}
