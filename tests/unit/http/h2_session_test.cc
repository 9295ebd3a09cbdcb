#include "http/h2_session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "h2_frames.h"

namespace weir::http {

namespace {

using namespace frames;

/// A server that answers nothing by itself and remembers everything.
class Server final : public H2Session::Connection, public H2Session::Output {
  public:
    class Stream final : public H2Session::Stream {
      public:
        explicit Stream(Server& server_, H2Session::StreamId id_) : server(server_), id(id_) {}
        void on_data(std::string_view payload) override { data += payload; }
        void on_end() override { has_ended = true; }
        void on_trailers(bool is_end) override { trailers = is_end ? 2 : 1; }
        void on_closed() override { is_closed = true; }
        H2Session::Supply supply(size_t room) override {
            const size_t bytes = std::min(room, body.size());
            const bool is_all = bytes == body.size() && next != H2Session::Next::more;
            return {.bytes = bytes, .next = is_all ? next : H2Session::Next::more};
        }
        void give(size_t bytes, H2Session::Output& output) override {
            output.write(std::string_view(body).substr(0, bytes));
            body.erase(0, bytes);
        }
        void on_frame_sent(H2Frame, bool is_end) override { end_sent = end_sent || is_end; }

        Server& server;
        H2Session::StreamId id;
        std::string data;
        std::string body;
        H2Session::Next next = H2Session::Next::more;
        bool has_ended = false;
        bool is_closed = false;
        bool end_sent = false;
        int trailers = 0;
    };

    explicit Server(const H2Session::Limits& limits = {}) : session(*this, limits) {}

    void on_frame(H2Frame kind) override { kinds.push_back(kind); }
    void on_section(H2Session::Stream*) override { fields.clear(); }
    void on_section_end() override { ++sections; }
    void on_field(std::string_view name, std::string_view value) override {
        fields.append(name).append("=").append(value).append(";");
    }
    H2Session::Stream* on_request(H2Session::StreamId id, bool is_end) override {
        Stream& made = streams.emplace_back(*this, id);
        made.has_ended = is_end;
        requests.push_back(fields);
        return &made;
    }
    void on_ping_answered() override { ++pings; }
    void write(std::string_view bytes) override { out += bytes; }
    [[nodiscard]] bool is_full() const override { return out.size() >= room; }

    H2Session::Received feed(std::string_view bytes) { return session.receive(bytes); }
    /// What the session says now.
    std::vector<Frame> said() {
        out.clear();
        session.produce(*this);
        return parse(out);
    }
    void answer(Stream& stream, std::string body) {
        stream.body = std::move(body);
        stream.next = H2Session::Next::end;
        session.send_head(stream.id, std::array{H2Line{.name = ":status", .value = "200"}}, true);
    }
    [[nodiscard]] auto count(H2Frame kind) const { return std::count(kinds.begin(), kinds.end(), kind); }

    std::deque<Stream> streams;
    std::vector<std::string> requests;
    std::vector<H2Frame> kinds;
    std::string fields;
    std::string out;
    size_t room = SIZE_MAX;
    int pings = 0;
    int sections = 0;
    H2Session session;
};

const Frame* find(const std::vector<Frame>& frames, uint8_t type, uint32_t stream) {
    const auto at = std::find_if(frames.begin(), frames.end(),
                                 [&](const Frame& f) { return f.type == type && f.stream == stream; });
    return at == frames.end() ? nullptr : &*at;
}

}  // namespace

TEST_CASE("a session begins with the settings that bound it") {
    Server server({.streams = 7, .stream_window = 70'000, .connection_window = 100'000, .list_bytes = 999});
    const auto said = server.said();
    REQUIRE(said.size() >= 2);
    CHECK(said[0].type == kSettings);
    CHECK(said[0].payload == number(3, 2) + number(7) + number(4, 2) + number(70'000) + number(6, 2) +
                                 number(999) + number(9, 2) + number(1));
    const Frame* update = find(said, kWindowUpdate, 0);
    REQUIRE(update);
    CHECK(update->number_at(0) == 100'000 - 65'535);
    CHECK_FALSE(server.session.has_begun());
    CHECK(server.feed(preface()) == H2Session::Received::fine);
    CHECK(server.session.has_begun());
}

TEST_CASE("a request is told whole, however its bytes are cut") {
    const std::string bytes = preface() + frame(kHeaders, 0, 1, get_block("/p").substr(0, 10)) +
                              frame(kContinuation, kEndHeaders, 1, get_block("/p").substr(10)) +
                              frame(kData, 0, 1, "body") + frame(kData, kEndStream, 1, "!");
    // nghttp2 takes the head of a CONTINUATION that comes byte by byte for a flood of them.
    for (const size_t cut : {size_t{2}, size_t{7}, bytes.size()}) {
        Server server;
        for (size_t at = 0; at < bytes.size(); at += cut)
            REQUIRE(server.feed(bytes.substr(at, cut)) == H2Session::Received::fine);
        REQUIRE(server.requests.size() == 1);
        CHECK(server.requests[0] == ":method=GET;:scheme=http;:authority=a;:path=/p;");
        CHECK(server.streams[0].data == "body!");
        CHECK(server.streams[0].has_ended);
        CHECK(server.sections == 1);
        CHECK(server.count(H2Frame::continuation) == 1);
        CHECK(server.count(H2Frame::data) == 2);
    }
}

TEST_CASE("what is not HTTP/2 is told apart") {
    Server server;
    CHECK(server.feed("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n") == H2Session::Received::broken);
}

TEST_CASE("an answer goes out in frames that the client's windows let through") {
    Server server;
    REQUIRE(server.feed(preface() + get(1)) == H2Session::Received::fine);
    server.answer(server.streams[0], std::string(100'000, 'b'));
    size_t sent = 0;
    const auto add_up = [&](const std::vector<Frame>& said) {
        for (const Frame& each : said) {
            if (each.type != kData) continue;
            CHECK(each.payload.size() <= H2Session::kMaxFrame);
            sent += each.payload.size();
        }
    };
    const auto said = server.said();
    const Frame* head = find(said, kHeaders, 1);
    REQUIRE(head);
    CHECK_FALSE(head->is_last());
    add_up(said);
    CHECK(sent == 65'535);
    CHECK_FALSE(server.streams[0].end_sent);
    REQUIRE(server.feed(frame(kWindowUpdate, 0, 1, number(50'000)) +
                        frame(kWindowUpdate, 0, 0, number(50'000))) == H2Session::Received::fine);
    add_up(server.said());
    CHECK(sent == 100'000);
    CHECK(server.streams[0].end_sent);
    CHECK(server.streams[0].is_closed);
}

TEST_CASE("no frame is begun for which there is no room, and none is lost") {
    Server server;
    REQUIRE(server.feed(preface() + get(1)) == H2Session::Received::fine);
    server.answer(server.streams[0], std::string(40'000, 'b'));
    server.room = 1;
    std::string all;
    int rounds = 0;
    for (auto said = server.said(); !server.out.empty(); said = server.said()) {
        all += server.out;
        ++rounds;
    }
    CHECK(rounds > 3);
    size_t body = 0;
    for (const Frame& each : parse(all))
        if (each.type == kData) body += each.payload.size();
    CHECK(body == 40'000);
}

TEST_CASE("streams share the connection in turn") {
    Server server;
    REQUIRE(server.feed(preface() + get(1) + get(3)) == H2Session::Received::fine);
    for (auto& stream : server.streams) server.answer(stream, std::string(60'000, 'b'));
    size_t of_first = 0;
    size_t of_second = 0;
    for (const Frame& each : server.said())
        if (each.type == kData) (each.stream == 1 ? of_first : of_second) += each.payload.size();
    CHECK(of_first + of_second == 65'535);
    CHECK(std::min(of_first, of_second) > 16'384);
}

TEST_CASE("a stream with nothing to offer sleeps until it is resumed") {
    Server server;
    REQUIRE(server.feed(preface() + get(1)) == H2Session::Received::fine);
    auto& stream = server.streams[0];
    server.session.send_head(1, std::array{H2Line{.name = ":status", .value = "200"}}, true);
    CHECK(find(server.said(), kData, 1) == nullptr);
    CHECK_FALSE(server.session.wants_write());
    stream.body = "late";
    stream.next = H2Session::Next::end;
    server.session.resume(1);
    const auto said = server.said();
    const Frame* data = find(said, kData, 1);
    REQUIRE(data);
    CHECK(data->payload == "late");
    CHECK(data->is_last());
}

TEST_CASE("the client may send as much again as was credited, and no more") {
    Server server({.stream_window = 65'535, .connection_window = 65'535});
    REQUIRE(server.feed(preface() + frame(kHeaders, kEndHeaders, 1, get_block())) ==
            H2Session::Received::fine);
    server.said();
    const std::string piece = frame(kData, 0, 1, std::string(16'000, 'b'));
    for (int i = 0; i < 4; ++i) REQUIRE(server.feed(piece) == H2Session::Received::fine);
    CHECK(server.said().empty());
    server.session.credit_stream(1, 64'000);
    auto said = server.said();
    const Frame* update = find(said, kWindowUpdate, 1);
    REQUIRE(update);
    CHECK(update->number_at(0) == 64'000);
    CHECK(find(said, kWindowUpdate, 0) == nullptr);
    server.session.credit_connection(64'000);
    CHECK(find(server.said(), kWindowUpdate, 0) != nullptr);
    // One byte beyond the window ends the connection (6.9.1).
    for (int i = 0; i < 4; ++i) REQUIRE(server.feed(piece) == H2Session::Received::fine);
    CHECK_FALSE(server.session.has_ended());
    REQUIRE(server.feed(piece) == H2Session::Received::fine);
    said = server.said();
    const Frame* goaway = find(said, kGoaway, 0);
    REQUIRE(goaway);
    CHECK(goaway->number_at(4) == 3);  // FLOW_CONTROL_ERROR
    CHECK(server.session.has_ended());
}

TEST_CASE("a client that breaks the window of a stream ends the connection, however it does so") {
    const std::string largest = frame(kSettings, 0, 0, number(4, 2) + number(0x7fffffff));
    const std::string open = frame(kHeaders, kEndHeaders, 1, get_block());
    std::string too_much;
    for (int i = 0; i < 5; ++i) too_much += frame(kData, 0, 1, std::string(16'000, 'b'));
    const auto overflow = [](uint32_t more) { return frame(kWindowUpdate, 0, 1, number(more)); };
    for (const std::string& bytes : {overflow(0x7fffffff), overflow(1) + largest, too_much}) {
        Server server({.stream_window = 65'535, .connection_window = 1'000'000});
        REQUIRE(server.feed(preface() + open + bytes) == H2Session::Received::fine);
        const auto said = server.said();
        const Frame* goaway = find(said, kGoaway, 0);
        REQUIRE(goaway);
        CHECK(goaway->number_at(4) == static_cast<uint32_t>(H2Error::flow_control_error));
        CHECK(server.session.has_ended());
        CHECK(server.streams[0].is_closed);
    }
    Server server;
    REQUIRE(server.feed(preface() + open + overflow(0x7fffffff - 65'535)) == H2Session::Received::fine);
    CHECK(find(server.said(), kGoaway, 0) == nullptr);
}

TEST_CASE("frames that nobody knows are ignored, and counted") {
    Server server;
    std::string bytes = preface();
    for (const int type : {10, 11, 12, 16, 77, 255})
        bytes += frame(static_cast<uint8_t>(type), 0xff, 0, std::string(300, 'x'));
    REQUIRE(server.feed(bytes + get(1)) == H2Session::Received::fine);
    CHECK(server.count(H2Frame::other) == 6);
    CHECK(server.requests.size() == 1);
    CHECK_FALSE(server.session.has_ended());
}

TEST_CASE("frames are counted by what they are worth") {
    Server server;
    REQUIRE(server.feed(preface() + frame(kHeaders, kEndHeaders, 1, get_block()) + frame(kData, 0, 1) +
                        frame(kData, kPadded, 1, std::string("\2\0\0", 3)) + frame(kData, 0, 1, "x") +
                        frame(kPing, 0, 0, "12345678") + frame(kPriority, 0, 5, std::string(5, '\0')) +
                        frame(kWindowUpdate, 0, 0, number(1)) + frame(kReset, 0, 1, number(8))) ==
            H2Session::Received::fine);
    CHECK(server.count(H2Frame::headers) == 1);
    CHECK(server.count(H2Frame::empty_data) == 2);
    CHECK(server.count(H2Frame::data) == 1);
    CHECK(server.count(H2Frame::ping) == 1);
    CHECK(server.count(H2Frame::priority) == 1);
    CHECK(server.count(H2Frame::window_update) == 1);
    CHECK(server.count(H2Frame::rst_stream) == 1);
    CHECK(server.count(H2Frame::settings) == 1);
    CHECK(server.streams[0].is_closed);
}

TEST_CASE("a client that makes the session answer and does not read floods it") {
    Server server({.answers = 50});
    REQUIRE(server.feed(preface()) == H2Session::Received::fine);
    std::string pings;
    for (int i = 0; i < 60; ++i) pings += frame(kPing, 0, 0, "12345678");
    CHECK(server.feed(pings) == H2Session::Received::flooded);
}

TEST_CASE("past the streams that there may be, the next one is refused") {
    Server server({.streams = 2});
    REQUIRE(server.feed(preface() + get(1) + get(3) + get(5)) == H2Session::Received::fine);
    CHECK(server.streams.size() == 2);
    const auto said = server.said();
    const Frame* reset = find(said, kReset, 5);
    REQUIRE(reset);
    CHECK(reset->number_at(0) == static_cast<uint32_t>(H2Error::refused_stream));
    CHECK(server.count(H2Frame::faulty) == 1);
}

TEST_CASE("an end that was announced takes the streams that come meanwhile, and then no more") {
    Server server;
    REQUIRE(server.feed(preface() + get(1)) == H2Session::Received::fine);
    server.said();
    server.session.announce_end();
    auto said = server.said();
    const Frame* notice = find(said, kGoaway, 0);
    REQUIRE(notice);
    CHECK(notice->number_at(0) == 0x7fffffff);
    const Frame* ping = find(said, kPing, 0);
    REQUIRE(ping);
    REQUIRE(server.feed(get(3) + frame(kPing, kAck, 0, ping->payload)) == H2Session::Received::fine);
    CHECK(server.streams.size() == 2);
    CHECK(server.pings == 1);
    server.session.refuse_streams();
    said = server.said();
    REQUIRE(find(said, kGoaway, 0));
    CHECK(find(said, kGoaway, 0)->number_at(0) == 3);
    REQUIRE(server.feed(get(5)) == H2Session::Received::fine);
    CHECK(server.streams.size() == 2);
    CHECK_FALSE(server.session.has_ended());
    for (auto& stream : server.streams) server.answer(stream, "x");
    server.said();
    CHECK(server.session.has_ended());
}

TEST_CASE("a stream that was forgotten is not called any more") {
    Server server;
    REQUIRE(server.feed(preface() + frame(kHeaders, kEndHeaders, 1, get_block())) ==
            H2Session::Received::fine);
    server.answer(server.streams[0], "never");
    server.session.forget(1);
    server.streams.clear();
    const auto said = server.said();
    CHECK(find(said, kData, 1) == nullptr);
    CHECK(find(said, kReset, 1) != nullptr);
    CHECK(server.feed(frame(kData, 0, 1, "late")) == H2Session::Received::fine);
}

TEST_CASE("trailers go behind the body, and come in the same way") {
    Server server;
    REQUIRE(server.feed(preface() + frame(kHeaders, kEndHeaders, 1, get_block()) +
                        frame(kHeaders, kEndHeaders | kEndStream, 1, literal("x-sum", "7"))) ==
            H2Session::Received::fine);
    CHECK(server.streams[0].trailers == 2);
    CHECK(server.fields == "x-sum=7;");
    auto& stream = server.streams[0];
    stream.next = H2Session::Next::other;
    server.session.send_head(1, std::array{H2Line{.name = ":status", .value = "200"}}, true);
    server.session.send_trailers(1, std::array{H2Line{.name = "X-Sum", .value = "8"}});
    const auto said = server.said();
    REQUIRE(said.back().type == kHeaders);
    CHECK(said.back().is_last());
}

}  // namespace weir::http
