#include "proxy/upload.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "http/head_parser.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

constexpr http::Body kChunked{.framing = http::Framing::chunked};
constexpr http::Body kNone{};

http::Body of_length(size_t bytes) { return {.framing = http::Framing::length, .length = bytes}; }

/// An upload, a leased connection for it, and the app at the far end.
class Uploading {
  public:
    Uploading() { connect(); }

    void connect() {
        lease.drop();
        user.is_connected = false;
        lease = pool.lease(user, UpstreamPool::Want::fresh);
        REQUIRE(parts.driven.until([&] { return user.is_connected; }));
        far = app.accept();
    }
    /// `capacity` is what is left behind the head for the head as it is written anew.
    void write_head(const std::string& request, size_t spare = 1024) {
        Block block = kit.blocks.take(request.size() + spare);
        std::memcpy(block.bytes(), request.data(), request.size());
        http::RequestHead& head = kit.blank_request();
        REQUIRE_FALSE(http::parse_request_head({block.bytes(), request.size()}, {}, head).has_value());
        http::RequestFacts facts{
            .client_address = "192.0.2.7", .request_id = "id7", .scheme = "http", .host = {}};
        upload.keep_raw(std::move(block));
        upload.write_head(request.size(), head, facts);
    }
    void write_post(const std::string& more_fields = "") {
        write_head("POST /form HTTP/1.1\r\nHost: app.example\r\n" + more_fields + "\r\n");
    }
    /// Sends until nothing waits, and returns what the app got.
    std::string sent() {
        std::string got;
        REQUIRE(parts.driven.until([&] {
            upload.send(*lease);
            got += net::receive(far);
            return upload.waiting_bytes() == 0;
        }));
        REQUIRE(parts.driven.until([&] {
            got += net::receive(far);
            return net::next_at(far) == "nothing";
        }));
        return got;
    }

    WorkerParts parts;
    Kit& kit = parts.kit();
    App app;
    RecordingUser user;
    UpstreamPool pool{
        kit, {.address = app.endpoint(), .berths = std::make_shared<Berths>()}, kit.metrics->server(0)};
    Lease lease;
    net::Fd far;
    Upload upload{kit.blocks};
};

std::string head_of(const std::string& request) { return request.substr(0, request.find("\r\n\r\n") + 4); }
std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }
bool has(const std::string& request, std::string_view line) {
    return head_of(request).find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a request without a body is its head") {
    Uploading up;
    up.write_head("GET /page?a=1 HTTP/1.1\r\nHost: app.example\r\nAccept: text/html\r\n\r\n");
    CHECK_FALSE(up.upload.all_sent());
    up.upload.end("");
    up.upload.seal(kNone);
    const std::string got = up.sent();
    CHECK(got.starts_with("GET /page?a=1 HTTP/1.1\r\nHost: app.example\r\n"));
    CHECK(has(got, "Accept: text/html"));
    CHECK(has(got, "X-Forwarded-For: 192.0.2.7"));
    CHECK(has(got, "X-Request-ID: id7"));
    CHECK(body_of(got).empty());
    CHECK(got.find("Content-Length") == std::string::npos);
    CHECK(up.upload.all_sent());
}

TEST_CASE("a small body goes out behind its head, with the length that was announced") {
    Uploading up;
    up.write_post("Content-Length: 10\r\n");
    up.upload.add("hello");
    up.upload.add("world");
    up.upload.end("");
    CHECK(up.upload.held_bytes() == 10);
    up.upload.seal(of_length(10));
    const std::string got = up.sent();
    CHECK(has(got, "Content-Length: 10"));
    CHECK(body_of(got) == "helloworld");
    CHECK(up.upload.all_sent());
}

TEST_CASE("a chunked body that is held whole goes out with its length") {
    for (const std::string& body : {std::string("hello"), std::string()}) {
        Uploading up;
        up.write_post("Transfer-Encoding: chunked\r\n");
        if (!body.empty()) up.upload.add(body);
        up.upload.end("");
        up.upload.seal(kChunked);
        const std::string got = up.sent();
        CHECK(has(got, "Content-Length: " + std::to_string(body.size())));
        CHECK(got.find("Transfer-Encoding") == std::string::npos);
        CHECK(body_of(got) == body);
    }
}

TEST_CASE("a chunked body with trailers stays chunked, for they would be lost") {
    Uploading up;
    up.write_post("Transfer-Encoding: chunked\r\n");
    up.upload.add("hello");
    up.upload.add("world");
    up.upload.end("X-Sum: 7\r\n");
    up.upload.seal(kChunked);
    const std::string got = up.sent();
    CHECK(has(got, "Transfer-Encoding: chunked"));
    CHECK(body_of(got) == "a\r\nhelloworld\r\n0\r\nX-Sum: 7\r\n\r\n");
}

TEST_CASE("a longer chunked body streams in chunks") {
    Uploading up;
    up.write_post("Transfer-Encoding: chunked\r\n");
    up.upload.add("held ");
    up.upload.add("first");
    up.upload.seal(kChunked);
    std::string got = up.sent();
    CHECK_FALSE(up.upload.all_sent());
    up.upload.add_and_send("then this", *up.lease);
    up.upload.add("and this");
    up.upload.end("X-Sum: 7\r\n");
    got += up.sent();
    CHECK(has(got, "Transfer-Encoding: chunked"));
    CHECK(body_of(got) == "a\r\nheld first\r\n9\r\nthen this\r\n8\r\nand this\r\n0\r\nX-Sum: 7\r\n\r\n");
    CHECK(up.upload.all_sent());
    CHECK(up.upload.held_bytes() == 0);
}

TEST_CASE("a chunked body of which nothing was held streams from its first byte") {
    Uploading up;
    up.write_post("Transfer-Encoding: chunked\r\n");
    up.upload.seal(kChunked);
    up.upload.add_and_send("hello", *up.lease);
    up.upload.end("");
    CHECK(body_of(up.sent()) == "5\r\nhello\r\n0\r\n\r\n");
}

TEST_CASE("a longer body of known length passes without being held") {
    Uploading up;
    up.write_post("Content-Length: 15\r\n");
    up.upload.add("held ");
    up.upload.seal(of_length(15));
    std::string got = up.sent();
    up.upload.add_and_send("then this ", *up.lease);
    CHECK(up.upload.held_bytes() == 0);
    CHECK_FALSE(up.upload.all_sent());
    up.upload.end("");
    CHECK(up.upload.all_sent());
    got += up.sent();
    CHECK(has(got, "Content-Length: 15"));
    CHECK(body_of(got) == "held then this ");
}

TEST_CASE("a head that does not fit behind the one it came in gets room of its own") {
    Uploading up;
    const std::string agent(3000, 'a');
    up.write_head("GET / HTTP/1.1\r\nHost: app.example\r\nUser-Agent: " + agent + "\r\n\r\n", 0);
    up.upload.end("");
    up.upload.seal(kNone);
    CHECK(has(up.sent(), "User-Agent: " + agent));
}

TEST_CASE("an app that does not read leaves the rest waiting, and gets it in order later") {
    Uploading up;
    const std::string piece(size_t{1} << 20, 'p');
    up.write_post();
    up.upload.add("start ");
    constexpr size_t kPieces = 12;
    up.upload.seal(of_length(6 + kPieces * piece.size()));
    for (size_t i = 0; i < kPieces; ++i) up.upload.add_and_send(piece, *up.lease);
    up.upload.end("");
    CHECK(up.upload.waiting_bytes() > 0);
    CHECK(up.upload.held_bytes() == up.upload.waiting_bytes());
    CHECK_FALSE(up.upload.all_sent());
    CHECK_FALSE(up.upload.repeatable());
    const std::string got = up.sent();
    CHECK((body_of(got) == "start " + std::string(kPieces * piece.size(), 'p')));
    CHECK(up.upload.held_bytes() == 0);
}

TEST_CASE("a request that is held whole can be sent again, byte for byte") {
    for (const char* trailers : {"", "X-Sum: 7\r\n"}) {
        Uploading up;
        const std::string large(50'000, 'l');
        up.write_post("Transfer-Encoding: chunked\r\n");
        up.upload.add("hello");
        up.upload.add(large);
        up.upload.end(trailers);
        up.upload.seal(kChunked);
        const std::string first = up.sent();
        REQUIRE(up.upload.repeatable());
        up.upload.rewind();
        CHECK_FALSE(up.upload.all_sent());
        up.connect();
        CHECK((up.sent() == first));
    }
}

TEST_CASE("a longer one can be sent again as long as nothing of its body has left") {
    Uploading up;
    up.write_post();
    up.upload.seal(of_length(10));
    const std::string head = up.sent();
    CHECK(up.upload.repeatable());
    up.upload.rewind();
    up.connect();
    CHECK(up.sent() == head);
    up.upload.add_and_send("hello", *up.lease);
    CHECK_FALSE(up.upload.repeatable());
}

TEST_CASE("what nobody will send again is let go of as it is sent") {
    Uploading up;
    up.write_post();
    up.upload.add(std::string(50'000, 'l'));
    up.upload.end("");
    up.upload.seal(of_length(50'000));
    up.sent();
    const size_t before = up.kit.blocks.held_bytes();
    CHECK(up.upload.held_bytes() == 50'000);
    up.upload.forget();
    CHECK(up.upload.held_bytes() == 0);
    CHECK(up.kit.blocks.held_bytes() <= before - 50'000);
    CHECK_FALSE(up.upload.repeatable());
    CHECK(up.upload.all_sent());
}

TEST_CASE("a dropped body holds nothing but the head's block") {
    Uploading up;
    up.write_post();
    const size_t with_head = up.kit.blocks.held_bytes();
    up.upload.add(std::string(50'000, 'l'));
    CHECK(up.kit.blocks.held_bytes() > with_head);
    up.upload.drop_body();
    CHECK(up.upload.held_bytes() == 0);
    CHECK(up.kit.blocks.held_bytes() == with_head);
    CHECK_FALSE(up.upload.repeatable());
}

TEST_CASE("an app that has closed takes nothing, and what was to be sent is still there") {
    Uploading up;
    net::reset(up.far);
    up.write_post();
    up.upload.add("hello");
    up.upload.end("");
    up.upload.seal(of_length(5));
    const size_t waiting = up.upload.waiting_bytes();
    up.upload.send(*up.lease);
    CHECK(up.upload.waiting_bytes() == waiting);
    CHECK(up.upload.repeatable());
    CHECK(up.parts.driven.until([&] { return !up.user.failures.empty(); }));
}

}  // namespace weir::proxy
