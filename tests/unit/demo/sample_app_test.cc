#include "demo/sample_app.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

using weir::demo::SampleApp;
using weir::demo::Socket;

namespace {

/// A plain client. Reads that wait unreasonably long end as if the stream had.
class Client {
  public:
    explicit Client(const SampleApp& app) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        timeval patience{};
        patience.tv_sec = 20;
        ::setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(app.port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(socket_.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }

    void send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<size_t>(sent));
        }
    }
    std::string read_exactly(size_t count) {
        while (buffer_.size() < count && fill()) {
        }
        return take(std::min(count, buffer_.size()));
    }
    std::string read_through(std::string_view mark) {
        while (buffer_.find(mark) == std::string::npos) {
            if (!fill()) return take(buffer_.size());
        }
        return take(buffer_.find(mark) + mark.size());
    }
    std::string read_all() {
        while (fill()) {
        }
        return take(buffer_.size());
    }
    void finish_sending() const { ::shutdown(socket_.fd(), SHUT_WR); }

  private:
    bool fill() {
        char bytes[16384];
        const ssize_t count = ::recv(socket_.fd(), bytes, sizeof bytes, 0);
        if (count > 0) buffer_.append(bytes, static_cast<size_t>(count));
        return count > 0;
    }
    std::string take(size_t count) {
        auto taken = buffer_.substr(0, count);
        buffer_.erase(0, count);
        return taken;
    }

    Socket socket_;
    std::string buffer_;
};

struct Answer {
    std::string head;
    std::string body;
    [[nodiscard]] std::string status() const { return head.substr(9, 3); }
};

Answer read_answer(Client& client) {
    Answer answer;
    answer.head = client.read_through("\r\n\r\n");
    const size_t length = answer.head.find("Content-Length: ");
    if (length != std::string::npos)
        answer.body = client.read_exactly(std::stoul(answer.head.substr(length + 16)));
    return answer;
}

std::unique_ptr<SampleApp> start_app() {
    auto app = SampleApp::start();
    REQUIRE(app.has_value());
    return std::move(*app);
}

Answer ask(Client& client, const std::string& line, const std::string& rest = "\r\n") {
    client.send(line + " HTTP/1.1\r\nHost: demo\r\n" + rest);
    return read_answer(client);
}

Answer ask(const SampleApp& app, const std::string& line, const std::string& rest = "\r\n") {
    Client client(app);
    return ask(client, line, rest);
}

std::string frame(unsigned first, std::string_view payload) {
    static constexpr char kMask[] = {0x12, 0x34, 0x56, 0x78};
    std::string bytes(1, static_cast<char>(first));
    const auto append = [&](unsigned value) { bytes += static_cast<char>(value & 0xFF); };
    const size_t size = payload.size();
    append(0x80U | static_cast<unsigned>(size < 126 ? size : size <= 0xFFFF ? 126 : 127));
    if (size >= 126) {
        for (int i = size <= 0xFFFF ? 2 : 8; i-- > 0;) append(static_cast<unsigned>(size >> (8 * i)));
    }
    bytes.append(kMask, sizeof kMask);
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(payload[i] ^ kMask[i % 4]);
    return bytes;
}

constexpr const char* kUpgrade =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What the app closes a WebSocket with after these bytes.
std::string closing_of(const SampleApp& app, const std::string& bytes) {
    Client client(app);
    CHECK(ask(client, "GET /ws", kUpgrade).status() == "101");
    client.send(bytes);
    return client.read_all();
}

}  // namespace

TEST_CASE("the sample app serves several requests on one connection") {
    const auto app = start_app();
    Client client(*app);
    CHECK(ask(client, "GET /fast").body == "fast\n");
    CHECK(ask(client, "GET /health").body == "ok\n");
    CHECK(ask(client, "GET /fail").status() == "500");
    CHECK(ask(client, "GET /nowhere").status() == "404");
    const auto page = ask(client, "GET /?x=1");
    CHECK(page.status() == "200");
    CHECK(page.body.ends_with("</html>\n"));
    CHECK(page.head.find("Keep-Alive: timeout=5\r\n") != std::string::npos);
}

TEST_CASE("the page refers to nothing outside of it and links to every route") {
    const auto app = start_app();
    const auto page = ask(*app, "GET /").body;
    CHECK(page.find("http://") == std::string::npos);
    CHECK(page.find("https://") == std::string::npos);
    CHECK(page.find("src=") == std::string::npos);
    for (const char* route :
         {"/fast", "/slow", "/fail", "/crash", "/stream", "/upload", "/large", "/echo", "/ws", "/health"}) {
        INFO(route);
        CHECK(page.find("href=\"" + std::string(route)) != std::string::npos);
    }
}

TEST_CASE("pipelined requests are answered in order and HEAD without a body") {
    const auto app = start_app();
    Client client(*app);
    client.send(
        "GET /fast HTTP/1.1\r\n\r\nHEAD /fast HTTP/1.1\r\n\r\nHEAD /stream HTTP/1.1\r\n\r\n"
        "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n");
    const auto all = client.read_all();
    CHECK(all.find("\r\n\r\nfast\nHTTP/1.1 200 OK\r\n") != std::string::npos);
    CHECK(all.find("Content-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/event-stream") !=
          std::string::npos);
    CHECK(all.find("chunked\r\n\r\nHTTP/1.1 200 OK\r\n") != std::string::npos);
    CHECK(all.ends_with("Content-Length: 3\r\n\r\nok\n"));
}

TEST_CASE("a slow answer takes as long as asked and its number is checked") {
    const auto app = start_app();
    const auto begin = weir::monotonic_now();
    CHECK(ask(*app, "GET /slow?ms=120").body == "slow: 120 ms\n");
    CHECK(weir::monotonic_now() - begin >= std::chrono::milliseconds(120));
    CHECK(ask(*app, "GET /slow?ms=soon").status() == "400");
    CHECK(ask(*app, "GET /slow?ms=").status() == "400");
    CHECK(ask(*app, "GET /large?kib=-1").status() == "400");
}

TEST_CASE("a crash is a connection closed without one byte") {
    const auto app = start_app();
    Client client(*app);
    client.send("GET /crash HTTP/1.1\r\n\r\n");
    CHECK(client.read_all().empty());
}

TEST_CASE("uploads are counted and digested, with a length and in chunks") {
    const auto app = start_app();
    Client client(*app);
    const std::string abc =
        "{\"bytes\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}\n";
    CHECK(ask(client, "POST /upload", "Content-Length: 3\r\n\r\nabc").body == abc);
    CHECK(ask(client, "PUT /upload",
              "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: 1\r\n\r\n")
              .body == abc);
    CHECK(ask(client, "POST /upload", "Content-Length: 300000\r\n\r\n" + std::string(300000, 'x'))
              .body.starts_with("{\"bytes\":300000,"));
    CHECK(ask(client, "POST /upload", "Content-Length: 0\r\n\r\n").body.starts_with("{\"bytes\":0,"));
    const auto refused = ask(client, "GET /upload");
    CHECK(refused.status() == "405");
    CHECK(refused.head.find("Allow: POST, PUT\r\n") != std::string::npos);
}

TEST_CASE("an upload that breaks off gets no answer") {
    const auto app = start_app();
    for (const char* rest :
         {"Content-Length: 5\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
          "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc"}) {
        INFO(rest);
        Client client(*app);
        client.send(std::string("POST /upload HTTP/1.1\r\n") + rest);
        client.finish_sending();
        CHECK(client.read_all().empty());
    }
}

TEST_CASE("a client that waits for 100 Continue gets it where the body is wanted") {
    const auto app = start_app();
    Client client(*app);
    client.send("POST /upload HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    CHECK(client.read_through("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    CHECK(read_answer(client).body.starts_with("{\"bytes\":3,"));
}

TEST_CASE("a body nobody asked for does not disturb the next request") {
    const auto app = start_app();
    Client client(*app);
    CHECK(ask(client, "POST /fast", "Content-Length: 40000\r\n\r\n" + std::string(40000, 'x')).body ==
          "fast\n");
    CHECK(ask(client, "GET /health").body == "ok\n");
}

TEST_CASE("a large answer has the size asked for") {
    const auto app = start_app();
    Client client(*app);
    CHECK(ask(client, "GET /large?kib=300").body.size() == 300 * 1024);
    CHECK(ask(client, "GET /large?kib=0").body.empty());
    client.send("HEAD /large?kib=99999999999999999999999 HTTP/1.1\r\n\r\n");
    CHECK(client.read_through("\r\n\r\n").find("Content-Length: 67108864\r\n") != std::string::npos);
}

TEST_CASE("echo shows the request's head as JSON, whatever bytes it has") {
    const auto app = start_app();
    const auto answer = ask(*app, "GET /echo?a=\"b\\",
                            "X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\nX: \xE9\r\n\r\n");
    CHECK(answer.body ==
          "{\n  \"method\": \"GET\",\n  \"target\": \"/echo?a=\\\"b\\\\\",\n  \"headers\": {\n    \"Host\": "
          "\"demo\",\n"
          "    \"X-Forwarded-For\": \"192.0.2.1, 192.0.2.2\",\n    \"X\": \"\\u00e9\"\n  }\n}\n");
}

TEST_CASE("the stream sends its first event at once") {
    const auto app = start_app();
    Client client(*app);
    client.send("GET /stream HTTP/1.1\r\n\r\n");
    CHECK(client.read_through("\r\n\r\n").find("Content-Type: text/event-stream\r\n") != std::string::npos);
    CHECK(client.read_through("\n\n\r\n") == "1b\r\nid: 1\ndata: event 1 of 20\n\n\r\n");
    CHECK(client.read_through("\n\n\r\n") == "1b\r\nid: 2\ndata: event 2 of 20\n\n\r\n");
}

TEST_CASE("a malformed request gets 400 and the connection's end") {
    const auto app = start_app();
    for (const char* head :
         {"nonsense\r\n\r\n", "GET /fast HTTP/3.0\r\n\r\n", "GET  /fast HTTP/1.1\r\n\r\n",
          "GET /fast HTTP/1.1\r\nno colon\r\n\r\n", "GET /fast HTTP/1.1\r\nA: b\r\n folded: x\r\n\r\n",
          "POST /fast HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
          "POST /fast HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST /fast HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        INFO(head);
        Client client(*app);
        client.send(head);
        CHECK(client.read_all().starts_with("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"));
    }
}

TEST_CASE("a head without end is refused") {
    const auto app = start_app();
    Client client(*app);
    client.send("GET /fast HTTP/1.1\r\n" + std::string(200, 'n') + ": ");
    for (int i = 0; i < 100; ++i) client.send(std::string(1000, 'v'));
    CHECK(client.read_through("\r\n\r\n").starts_with("HTTP/1.1 400"));
}

TEST_CASE("the WebSocket handshake is the RFC's example") {
    const auto app = start_app();
    Client client(*app);
    const auto answer = ask(client, "GET /ws", kUpgrade);
    CHECK(answer.status() == "101");
    CHECK(answer.head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
    CHECK(ask(*app, "GET /ws").status() == "426");
}

TEST_CASE("a WebSocket echoes text, bytes and fragments, answers pings and closes as asked") {
    const auto app = start_app();
    Client client(*app);
    REQUIRE(ask(client, "GET /ws", kUpgrade).status() == "101");
    client.send(frame(0x81, "hello"));
    CHECK(client.read_exactly(7) == "\x81\x05hello");
    client.send(frame(0x82, std::string(200, '\xFF')));
    CHECK(client.read_exactly(204) == std::string("\x82\x7E\x00\xC8", 4) + std::string(200, '\xFF'));
    client.send(frame(0x01, "\xE2\x82") + frame(0x89, "now") + frame(0x80, "\xAC"));
    CHECK(client.read_exactly(5) == "\x8A\x03now");
    CHECK(client.read_exactly(5) == "\x81\x03\xE2\x82\xAC");
    const std::string largest(1 << 20, 'x');
    client.send(frame(0x82, largest));
    CHECK((client.read_exactly(10 + largest.size()) ==
           std::string("\x82\x7F\0\0\0\0\0\x10\0\0", 10) + largest));
    client.send(frame(0x8A, "unasked") + frame(0x88, "\x03\xE8 bye"));
    CHECK(client.read_all() == "\x88\x02\x03\xE8");
}

TEST_CASE("a breach of the WebSocket protocol closes it with the status for it") {
    const auto app = start_app();
    const std::string protocol_error = "\x88\x02\x03\xEA";
    CHECK(closing_of(*app, std::string("\x81\x05hello")) == protocol_error);  // not masked
    CHECK(closing_of(*app, frame(0xC1, "x")) == protocol_error);              // a reserved bit
    CHECK(closing_of(*app, frame(0x83, "x")) == protocol_error);              // a reserved opcode
    CHECK(closing_of(*app, frame(0x8B, "x")) == protocol_error);
    CHECK(closing_of(*app, frame(0x80, "x")) == protocol_error);  // nothing to continue
    CHECK(closing_of(*app, frame(0x01, "x") + frame(0x81, "y")) ==
          protocol_error);                                        // a message inside another
    CHECK(closing_of(*app, frame(0x09, "x")) == protocol_error);  // a fragmented ping
    CHECK(closing_of(*app, frame(0x89, std::string(126, 'x'))) == protocol_error);
    CHECK(closing_of(*app, frame(0x88, "x")) == protocol_error);
    CHECK(closing_of(*app, frame(0x81, "\xC3")) == "\x88\x02\x03\xEF");
    CHECK(closing_of(*app, std::string("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10)) ==
          "\x88\x02\x03\xF1");
    CHECK(closing_of(*app, frame(0x02, std::string(1 << 20, 'x')) + std::string("\x80\x81", 2)) ==
          "\x88\x02\x03\xF1");
}

TEST_CASE("past the bound on threads a client waits until another leaves") {
    const auto app = start_app();
    std::vector<std::unique_ptr<Client>> clients;
    for (size_t i = 0; i < SampleApp::kMaxThreads; ++i) {
        clients.push_back(std::make_unique<Client>(*app));
        CHECK(ask(*clients.back(), "GET /fast").body == "fast\n");
    }
    Client late(*app);
    late.send("GET /health HTTP/1.1\r\n\r\n");
    clients.pop_back();
    CHECK(read_answer(late).body == "ok\n");
}

TEST_CASE("the app ends promptly whatever its connections are at") {
    auto app = start_app();
    Client idle(*app);
    Client slow(*app);
    Client stream(*app);
    Client socket(*app);
    Client reader(*app);
    Client in_head(*app);
    CHECK(ask(idle, "GET /fast").body == "fast\n");
    slow.send("GET /slow?ms=10000 HTTP/1.1\r\n\r\n");
    stream.send("GET /stream HTTP/1.1\r\n\r\n");
    CHECK(!stream.read_through("\n\n").empty());
    CHECK(ask(socket, "GET /ws", kUpgrade).status() == "101");
    reader.send("GET /large?kib=65536 HTTP/1.1\r\n\r\n");
    CHECK(!reader.read_exactly(100000).empty());
    in_head.send("GET /fa");
    const auto begin = weir::monotonic_now();
    app.reset();
    CHECK(weir::monotonic_now() - begin < std::chrono::seconds(2));
    CHECK(socket.read_all().empty());
}
