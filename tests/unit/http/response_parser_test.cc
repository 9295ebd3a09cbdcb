#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http/head_parser.h"
#include "random_source.h"

using namespace weir::http;

namespace {

struct Parsed {
    std::vector<char> bytes;
    ResponseHead head;
    MaybeFault fault;

    explicit Parsed(const std::string& text) : bytes(text.begin(), text.end()) {
        fault = parse_response_head({bytes.data(), bytes.size()}, head);
    }
};

Parsed parse_with(const std::string& fields, const std::string& version = "1.1") {
    return Parsed("HTTP/" + version + " 200 OK\r\n" + fields + "\r\n");
}

const char* const kRefusedLines[] = {
    "HTTP/2.0 200 OK",
    "HTTP/1.2 200 OK",
    "http/1.1 200 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1\t200 OK",
    " HTTP/1.1 200 OK",
    "\r\nHTTP/1.1 200 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 600 OK",
    "HTTP/1.1 999 OK",
    "HTTP/1.1 2x0 OK",
    "HTTP/1.1 -20 OK",
    "HTTP/1.1 200OK",
    "HTTP/1.1 200\tOK",
    "HTTP/1.1 200 O\x01K",
    "HTTP/1.1 200 O\rK",
    "HTTP/1.1 200 OK\n",
    "ICY 200 OK",
    "HTTP/1.1",
    "",
};

const char* const kRefusedFields[] = {
    "Content-Length: 5\r\nContent-Length: 5\r\n",
    "Content-Length: 5, 5\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 5 \x0b\r\n",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "Connection: a b\r\n",
    "X : y\r\n",
    "X: y\r\n z\r\n",
    "X: a\rb\r\n",
    "X: a\nY: b\r\n",
    ": y\r\n",
    "X\r\n",
    "Set-Cookie: a=\x7f\r\n",
};

}  // namespace

TEST_CASE("a response head is read into its parts") {
    const Parsed parsed(
        "HTTP/1.1 404 Not Found \xc3\xa9\r\nContent-Length: 7\r\nKeep-Alive: timeout=5\r\nX:\r\n\r\n");
    REQUIRE_FALSE(parsed.fault);
    CHECK(parsed.head.status == 404);
    CHECK(parsed.head.reason_phrase == "Not Found \xc3\xa9");
    CHECK(parsed.head.version == Version::http11);
    CHECK(parsed.head.content_length == 7);
    CHECK_FALSE(parsed.head.chunked);
    CHECK(parsed.head.keep_alive);
    REQUIRE(parsed.head.fields.size() == 3);
    CHECK(parsed.head.fields[1].id == FieldId::keep_alive);
}

TEST_CASE("a reason phrase may be empty, and the space before it may be missing with it") {
    CHECK_FALSE(Parsed("HTTP/1.1 200 \r\n\r\n").fault);
    const Parsed bare("HTTP/1.0 200\r\n\r\n");
    REQUIRE_FALSE(bare.fault);
    CHECK(bare.head.reason_phrase.empty());
    CHECK_FALSE(bare.head.keep_alive);
}

TEST_CASE("the wish to keep the connection and an upgrade are read as in requests") {
    CHECK(parse_with("").head.keep_alive);
    CHECK_FALSE(parse_with("Connection: close\r\n").head.keep_alive);
    CHECK(parse_with("Connection: keep-alive\r\n", "1.0").head.keep_alive);
    CHECK(parse_with("Connection: upgrade\r\nUpgrade: websocket\r\n").head.upgrade == "websocket");
    CHECK(parse_with("Upgrade: websocket\r\n").head.upgrade.empty());
    CHECK(parse_with("Transfer-Encoding: chunked\r\n").head.chunked);
    CHECK(parse_with("Host: a b\r\nHost: \r\nExpect: x\r\n").fault == std::nullopt);
}

TEST_CASE("a connection is not kept behind a 204 that announces a body, since that might come") {
    CHECK(Parsed("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").head.keep_alive);
    CHECK_FALSE(Parsed("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").head.keep_alive);
    CHECK_FALSE(Parsed("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n").head.keep_alive);
    CHECK(Parsed("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").head.keep_alive);
}

TEST_CASE("a malformed answer is the app's fault, whatever is wrong with it") {
    for (const char* line : kRefusedLines) {
        CAPTURE(line);
        const Parsed parsed(std::string(line) + "\r\nX: y\r\n\r\n");
        REQUIRE(parsed.fault);
        CHECK(parsed.fault->reason == Reason::upstream_protocol);
    }
    for (const char* fields : kRefusedFields) {
        CAPTURE(fields);
        const Parsed parsed = parse_with(fields);
        REQUIRE(parsed.fault);
        CHECK(parsed.fault->reason == Reason::upstream_protocol);
    }
    CHECK(parse_with("Transfer-Encoding: chunked\r\n", "1.0").fault);
}

TEST_CASE("the size and the number of fields of an answer are bounded") {
    const std::string most(kMaxResponseHeadBytes - parse_with("X: \r\n").bytes.size(), 'a');
    CHECK_FALSE(parse_with("X: " + most + "\r\n").fault);
    CHECK(parse_with("X: " + most + "a\r\n").fault);
    std::string fields;
    for (size_t i = 0; i < kMaxResponseFields; ++i) fields += "X: y\r\n";
    CHECK_FALSE(parse_with(fields).fault);
    CHECK(parse_with(fields + "X: y\r\n").fault);
}

TEST_CASE("mutated answers are parsed without fault of the parser") {
    RandomSource random;
    INFO("seed: " << random.seed());
    ResponseHead head;
    for (int round = 0; round < 30000; ++round) {
        const std::string text = random.mutated(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close, x\r\nX: a longer value than one step "
            "takes\r\n\r\n");
        const std::vector<char> bytes(text.begin(), text.end());
        if (parse_response_head({bytes.data(), bytes.size()}, head)) continue;
        REQUIRE(head.status >= 100);
        REQUIRE(head.status <= 599);
        REQUIRE(text.find('\0') == std::string::npos);
    }
}
