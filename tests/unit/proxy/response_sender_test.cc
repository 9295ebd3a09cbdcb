#include "proxy/response_sender.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "http/message.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

/// A response on its way to a client whose far end the test reads.
class Sending {
  public:
    explicit Sending(net::SocketPair pair = net::unix_pair()) : client(driven, std::move(pair)) {}

    void head(http::Body body) {
        http::ResponseHead head;
        head.status = 200;
        head.fields.push_back({.name = "X-From", .value = "app"});
        sender.head(head, {.body = body, .request_id = {}, .date = {}});
    }
    /// What the client would read, sent until nothing waits.
    std::string all() {
        std::string got;
        REQUIRE(driven.until([&] {
            REQUIRE(sender.flush() != net::IoStatus::failed);
            got += net::receive(client.far);
            return sender.waiting_bytes() == 0;
        }));
        return got + net::receive(client.far);
    }

    net::DrivenLoop driven;
    MemoryBudget budget{size_t{64} << 20};
    BlockPool blocks{budget};
    std::unique_ptr<Gather> gather = std::make_unique<Gather>();
    End client;
    ResponseSender sender{client.stream, *gather, blocks};
};

constexpr http::Body kChunked{.framing = http::Framing::chunked};

http::Body of_length(size_t bytes) { return {.framing = http::Framing::length, .length = bytes}; }

std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("head, body and end leave in one system call") {
    // A socket that keeps the borders between messages shows the calls.
    for (size_t body_bytes : {size_t{5}, size_t{5000}}) {
        Sending sending(net::unix_pair(SOCK_SEQPACKET));
        const std::string body(body_bytes, 'b');
        sending.head(kChunked);
        sending.sender.body(body);
        sending.sender.end("");
        CHECK(net::next_at(sending.client.far) == "nothing");
        CHECK(sending.sender.flush() == net::IoStatus::ok);
        char message[16384];
        ssize_t count = ::recv(sending.client.far.get(), message, sizeof message, 0);
        REQUIRE(count > 0);
        const std::string whole(message, static_cast<size_t>(count));
        CHECK(whole.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(whole.ends_with("\r\n0\r\n\r\n"));
        CHECK(whole.size() == sending.client.stream.sent_bytes());
        CHECK(net::next_at(sending.client.far) == "nothing");
        CHECK(sending.blocks.held_bytes() == 0);
    }
}

TEST_CASE("a body of known length goes out as it is") {
    Sending sending;
    sending.head(of_length(10));
    sending.sender.body("hello");
    sending.sender.body("world");
    sending.sender.end("");
    const std::string got = sending.all();
    CHECK(got.find("\r\nContent-Length: 10\r\n") != std::string::npos);
    CHECK(got.find("\r\nX-From: app\r\n") != std::string::npos);
    CHECK(body_of(got) == "helloworld");
}

TEST_CASE("a body of unknown length goes out in chunks, small and large ones, trailers behind them") {
    Sending sending;
    const std::string large(5000, 'L');
    sending.head(kChunked);
    sending.sender.body("hello");
    sending.sender.body(large);
    sending.sender.body("0123456789abcdef");
    sending.sender.end("X-Sum: 7\r\n");
    const std::string got = sending.all();
    CHECK(got.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(body_of(got) ==
          "5\r\nhello\r\n1388\r\n" + large + "\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 7\r\n\r\n");
}

TEST_CASE("the end of one response does not make chunks of the next") {
    Sending sending;
    sending.head(kChunked);
    sending.sender.end("");
    sending.head(of_length(2));
    sending.sender.body("ok");
    sending.sender.end("");
    const std::string got = sending.all();
    CHECK(got.ends_with("\r\n\r\nok"));
    CHECK(got.find("\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n") != std::string::npos);
}

TEST_CASE("interim answers stand before the final one") {
    Sending sending;
    sending.sender.raw("HTTP/1.1 100 Continue\r\n\r\n");
    http::ResponseHead hints;
    hints.status = 103;
    hints.fields.push_back({.name = "Link", .value = "</a.css>"});
    sending.sender.interim(hints);
    sending.head(of_length(0));
    const std::string got = sending.all();
    CHECK(
        got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
                        "</a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_CASE("more pieces than one write takes stay in order") {
    Sending sending;
    std::vector<std::string> pieces;
    for (size_t i = 0; i < 5 * Gather::kMaxPieces; ++i)
        pieces.emplace_back(i % 3 == 0 ? 2000 : 20, static_cast<char>('a' + i % 26));
    std::string expected;
    size_t length = 0;
    for (const std::string& piece : pieces) length += piece.size();
    sending.head(of_length(length));
    for (const std::string& piece : pieces) {
        sending.sender.body(piece);
        expected += piece;
    }
    sending.sender.end("");
    CHECK((body_of(sending.all()) == expected));
    CHECK(sending.blocks.held_bytes() == 0);
}

TEST_CASE("what a full socket does not take is queued, and leaves in order when it drains") {
    for (bool is_chunked : {false, true}) {
        Sending sending;
        const std::string large(size_t{4} << 20, 'L');
        sending.head(is_chunked ? kChunked : of_length(large.size() + 5));
        sending.sender.body(large);
        REQUIRE(sending.sender.flush() == net::IoStatus::ok);
        CHECK_FALSE(sending.client.stream.writable());
        const size_t waiting = sending.sender.waiting_bytes();
        CHECK(waiting > 0);
        CHECK(sending.blocks.held_bytes() >= waiting);
        sending.sender.body("later");
        sending.sender.end("");
        REQUIRE(sending.sender.flush() != net::IoStatus::failed);
        CHECK(sending.sender.waiting_bytes() > waiting);

        const std::string got = sending.all();
        const std::string expected =
            is_chunked ? "400000\r\n" + large + "\r\n5\r\nlater\r\n0\r\n\r\n" : large + "later";
        CHECK((body_of(got) == expected));
        CHECK(sending.client.stream.sent_bytes() == got.size());
        CHECK(sending.blocks.held_bytes() == 0);
    }
}

TEST_CASE("what waits goes before what is new, though the socket has room again") {
    Sending sending;
    const std::string large(size_t{1} << 20, 'L');
    sending.head(of_length(large.size() + 5));
    sending.sender.body(large);
    REQUIRE(sending.sender.flush() == net::IoStatus::ok);
    REQUIRE(sending.sender.waiting_bytes() > 0);
    std::string got;
    REQUIRE(sending.driven.until([&] {
        got += net::receive(sending.client.far);
        return sending.client.stream.writable();
    }));
    sending.sender.body("later");
    REQUIRE(sending.sender.flush() == net::IoStatus::ok);
    got += sending.all();
    CHECK((body_of(got) == large + "later"));
}

TEST_CASE("what is queued does not refer to the caller's bytes any more") {
    Sending sending;
    std::string large(size_t{2} << 20, 'L');
    const std::string expected = large;
    sending.head(of_length(large.size()));
    sending.sender.body(large);
    REQUIRE(sending.sender.flush() == net::IoStatus::ok);
    large.assign(large.size(), '?');
    CHECK((body_of(sending.all()) == expected));
}

TEST_CASE("a client that is gone fails the flush, and nothing is queued for it") {
    Sending sending;
    sending.client.far = net::Fd();
    sending.head(of_length(5));
    sending.sender.body("hello");
    CHECK(sending.sender.flush() == net::IoStatus::failed);
    CHECK(sending.sender.waiting_bytes() == 0);
    CHECK(sending.client.stream.sent_bytes() == 0);
    CHECK(sending.gather->empty());
}

TEST_CASE("a client that leaves while bytes wait for it fails the flush") {
    Sending sending;
    const std::string large(size_t{4} << 20, 'L');
    sending.head(of_length(large.size()));
    sending.sender.body(large);
    REQUIRE(sending.sender.flush() == net::IoStatus::ok);
    REQUIRE(sending.sender.waiting_bytes() > 0);
    sending.client.far = net::Fd();
    REQUIRE(sending.driven.until([&] { return sending.client.stream.writable(); }));
    CHECK(sending.sender.flush() == net::IoStatus::failed);
    sending.sender.clear();
    CHECK(sending.sender.waiting_bytes() == 0);
    CHECK(sending.blocks.held_bytes() == 0);
}

TEST_CASE("flushing nothing is fine") {
    Sending sending;
    CHECK(sending.sender.flush() == net::IoStatus::ok);
    CHECK(net::next_at(sending.client.far) == "nothing");
}

}  // namespace weir::proxy
