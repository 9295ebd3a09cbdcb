#include "app/admin_connection.h"

#include <string>

#include "app/served_admin.h"
#include "proxy/linger.h"

namespace weir::app {

namespace {

constexpr Duration kMoment = std::chrono::milliseconds(50);

struct TimedAdmin : Admin {
    /// What the timers find after so much time, from now on.
    void pass(Duration time) {
        now += time;
        driven.loop.timers().advance(now);
        driven.settle();
    }
    net::Fd connect_and_settle() {
        net::Fd client = connect();
        driven.settle();
        return client;
    }
    void send(const net::Fd& client, std::string_view bytes) {
        REQUIRE(net::send_some(client, bytes) == bytes.size());
        driven.settle();
    }
    Time now = driven.loop.now();
};

std::string closing(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

}  // namespace

TEST_CASE("who says nothing is closed when the time for a head is over, without a word") {
    TimedAdmin admin;
    const net::Fd client = admin.connect_and_settle();
    admin.pass(AdminConnection::kForHead - kMoment);
    CHECK(net::next_at(client) == "nothing");
    admin.pass(2 * kMoment);
    CHECK(net::next_at(client) == "end");
}

TEST_CASE("a head that goes on and on gets no more time than one that stands still") {
    TimedAdmin admin;
    const net::Fd client = admin.connect_and_settle();
    admin.send(client, "GET /livez HTTP/1.1\r\n");
    for (int part = 0; part < 9; ++part) {
        admin.pass(AdminConnection::kForHead / 10);
        admin.send(client, "X: y\r\n");
        CHECK(net::next_at(client) == "nothing");
    }
    admin.pass(AdminConnection::kForHead / 10 + kMoment);
    CHECK(net::next_at(client) == "end");
}

TEST_CASE("between two requests there is more time, and for the next head no more than for the first") {
    TimedAdmin admin;
    const net::Fd waiting = admin.connect_and_settle();
    const net::Fd asking = admin.connect_and_settle();
    admin.ask(waiting);
    admin.ask(asking);
    admin.now = admin.driven.loop.now();
    admin.send(asking, "GET");
    admin.pass(AdminConnection::kForHead + kMoment);
    CHECK(net::next_at(asking) == "end");
    CHECK(net::next_at(waiting) == "nothing");
    admin.pass(AdminConnection::kIdle - AdminConnection::kForHead);
    CHECK(net::next_at(waiting) == "end");
}

TEST_CASE("who does not read the answer is closed when the time for it is over") {
    TimedAdmin admin;
    admin.parts.overview.effective_config.assign(16 << 20, 'x');
    const net::Fd client = admin.connect_and_settle();
    admin.send(client, "GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n");
    admin.now = admin.driven.loop.now();
    admin.pass(AdminConnection::kForAnswer - kMoment);
    admin.pass(2 * kMoment);
    CHECK(admin.receive_to_end(client).size() < size_t{16} << 20);
}

TEST_CASE("a request that comes together with the end is answered") {
    TimedAdmin admin;
    const net::Fd client = admin.connect();
    REQUIRE(net::send_some(client, kAsk) == kAsk.size());
    net::send_end(client);
    CHECK(admin.receive_to_end(client).ends_with("\r\n\r\nok\n"));
}

TEST_CASE("behind the last answer what still comes is dropped, and the connection ends soon") {
    TimedAdmin admin;
    const net::Fd client = admin.connect();
    REQUIRE(net::send_some(client, closing("/livez")) > 0);
    const std::string got = admin.receive_to_end(client);
    CHECK(got.ends_with("\r\n\r\nok\n"));
    CHECK(got.find("Connection: close\r\n") != std::string::npos);
    admin.now = admin.driven.loop.now();
    admin.send(client, kAsk);
    CHECK(net::receive(client).empty());
    const size_t armed = admin.driven.loop.timers().size();
    admin.pass(proxy::kLinger - 2 * kMoment);
    CHECK(admin.driven.loop.timers().size() == armed);
    admin.pass(3 * kMoment);
    CHECK(admin.driven.loop.timers().size() == armed - 1);
}

TEST_CASE("a client of HTTP/1.0 is answered and closed, unless it asks to be kept") {
    TimedAdmin admin;
    const net::Fd plain = admin.connect();
    REQUIRE(net::send_some(plain, "GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n") > 0);
    CHECK(admin.receive_to_end(plain).ends_with("ok\n"));
    const net::Fd kept = admin.connect();
    const std::string_view asks_to_be_kept =
        "GET /livez HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
    CHECK(admin.ask(kept, asks_to_be_kept).find("Connection: keep-alive\r\n") != std::string::npos);
    CHECK(admin.ask(kept, asks_to_be_kept).ends_with("ok\n"));
}

TEST_CASE("a client that leaves in the middle of anything leaves nothing behind") {
    TimedAdmin admin;
    admin.parts.overview.effective_config.assign(16 << 20, 'x');
    for (const std::string_view begun : {"", "GET /con", "GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
        CAPTURE(begun);
        net::Fd client = admin.connect_and_settle();
        if (!begun.empty()) admin.send(client, begun);
        const size_t armed = admin.driven.loop.timers().size();
        net::reset(client);
        CHECK(admin.driven.until([&] { return admin.driven.loop.timers().size() < armed; }));
    }
}

}  // namespace weir::app
