#include "proxy/client_set.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "h2_frames.h"
#include "net/quiet_log.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

class Clients {
  public:
    explicit Clients(size_t max_connections = 1000) {
        parts.settings.clients.max_connections = max_connections;
        set = std::make_unique<ClientSet>(parts.kit());
    }
    /// The far end of a new connection.
    net::Fd add() {
        auto pair = net::unix_pair();
        set->add(std::move(pair.near), net::IpAddress{}, entrance);
        return std::move(pair.far);
    }
    [[nodiscard]] size_t entered() const { return parts.gate->connections(); }

    WorkerParts parts;
    Entrance entrance;
    std::unique_ptr<ClientSet> set;
};

}  // namespace

TEST_CASE("clients are taken in up to the bound, the next one is closed at once") {
    QuietLog quiet;
    Clients clients(2);
    CHECK(clients.set->empty());
    net::Fd first = clients.add();
    net::Fd second = clients.add();
    net::Fd third = clients.add();
    CHECK(clients.set->size() == 2);
    CHECK(net::next_at(first) == "nothing");
    CHECK(net::next_at(second) == "nothing");
    CHECK(net::next_at(third) == "end");
    CHECK(clients.parts.gate->refused() == 1);
}

TEST_CASE("a client that leaves makes room for another, whichever it is") {
    for (size_t leaver = 0; leaver < 3; ++leaver) {
        Clients clients(3);
        std::vector<net::Fd> fars;
        for (int i = 0; i < 3; ++i) fars.push_back(clients.add());
        fars[leaver] = net::Fd();
        REQUIRE(clients.parts.driven.until([&] { return clients.set->size() == 2; }));
        REQUIRE(clients.parts.driven.until([&] { return clients.entered() == 2; }));
        fars[leaver] = clients.add();
        CHECK(clients.set->size() == 3);
        for (net::Fd& far : fars) far = net::Fd();
        CHECK(clients.parts.driven.until([&] { return clients.set->empty(); }));
    }
}

TEST_CASE("what is not HTTP is answered with 400 and closed") {
    Clients clients;
    net::Fd far = clients.add();
    net::send_some(far, "nonsense\r\n\r\n");
    std::string got;
    REQUIRE(clients.parts.driven.until([&] {
        got += net::receive(far);
        return net::next_at(far) == "end";
    }));
    CHECK(got.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(clients.parts.kit().blocks.held_bytes() == 0);
    // It may go on sending for a while, until it has seen the answer and leaves.
    far = net::Fd();
    CHECK(clients.parts.driven.until([&] { return clients.set->empty(); }));
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
}

TEST_CASE(
    "draining closes new clients that stay silent for a moment, and not one that has begun its request") {
    Clients clients;
    net::Fd idle = clients.add();
    net::Fd busy = clients.add();
    net::Fd idle_too = clients.add();
    net::send_some(busy, "GET / HT");
    REQUIRE(clients.parts.driven.until([&] { return clients.parts.kit().blocks.held_bytes() > 0; }));
    clients.parts.kit().draining = true;
    clients.set->drain();
    CHECK(clients.set->size() == 3);
    CHECK(net::next_at(idle) == "nothing");
    REQUIRE(clients.parts.driven.until([&] { return clients.set->size() < 3; }));
    CHECK(clients.parts.driven.until([&] { return clients.set->size() == 1; }));
    CHECK(net::next_at(idle) == "end");
    CHECK(net::next_at(idle_too) == "end");
    CHECK(net::next_at(busy) == "nothing");
}

TEST_CASE("shutting closes every client, whatever it waits for") {
    Clients clients;
    net::Fd idle = clients.add();
    net::Fd busy = clients.add();
    net::send_some(busy, "GET / HT");
    REQUIRE(clients.parts.driven.until([&] { return clients.parts.kit().blocks.held_bytes() > 0; }));
    clients.set->shut();
    CHECK(clients.set->empty());
    CHECK(net::next_at(idle) == "end");
    CHECK(net::next_at(busy) == "end");
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
    CHECK(clients.parts.kit().blocks.held_bytes() == 0);
}

TEST_CASE("the end of a set is the end of its clients") {
    Clients clients;
    net::Fd far = clients.add();
    clients.set.reset();
    CHECK(net::next_at(far) == "end");
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
}

namespace {

using http::frames::Frame;

/// Frames at `far`, until one of them is `type`.
std::vector<Frame> frames_until(Clients& clients, const net::Fd& far, uint8_t type) {
    std::string got;
    const auto has_it = [&] {
        got += net::receive(far);
        const auto all = http::frames::parse(got);
        return std::any_of(all.begin(), all.end(), [type](const Frame& each) { return each.type == type; });
    };
    REQUIRE(clients.parts.driven.until(has_it));
    return http::frames::parse(got);
}

}  // namespace

TEST_CASE("a client that begins with HTTP/2 is spoken to so, however its preface is cut") {
    for (const size_t cut : {1, 10, 18, 20, 24, 30, 33}) {
        CAPTURE(cut);
        Clients clients;
        net::Fd far = clients.add();
        const std::string preface = http::frames::preface();
        net::send_some(far, preface.substr(0, cut));
        clients.parts.driven.settle(5);
        net::send_some(far, preface.substr(cut));
        const auto said = frames_until(clients, far, http::frames::kSettings);
        CHECK(said.front().type == http::frames::kSettings);
        CHECK(clients.set->size() == 1);
        CHECK(clients.entered() == 1);
        clients.parts.driven.settle(5);
        CHECK(clients.parts.kit().blocks.held_bytes() == 0);
        far = net::Fd();
        REQUIRE(clients.parts.driven.until([&] { return clients.set->empty(); }));
        clients.parts.driven.settle(1);
        CHECK(clients.entered() == 0);
    }
}

TEST_CASE("where HTTP/2 is turned off its preface is a request of a version too far") {
    Clients clients;
    clients.entrance.speaks_http2 = false;
    net::Fd far = clients.add();
    net::send_some(far, http::frames::preface());
    std::string got;
    const auto has_head = [&] {
        got += net::receive(far);
        return got.find("\r\n\r\n") != std::string::npos;
    };
    REQUIRE(clients.parts.driven.until(has_head));
    CHECK(got.starts_with("HTTP/1.1 505 "));
}

TEST_CASE("a malformed request of HTTP/2 is answered, then reset, and leaves nothing") {
    Clients clients;
    net::Fd far = clients.add();
    const std::string head = http::frames::block({{":method", "GET"}, {":path", "/"}});
    net::send_some(far, http::frames::preface() +
                            http::frames::frame(http::frames::kHeaders, http::frames::kEndHeaders, 1, head));
    const auto said = frames_until(clients, far, http::frames::kReset);
    const auto body = std::find_if(said.begin(), said.end(),
                                   [](const Frame& each) { return each.type == http::frames::kData; });
    REQUIRE(body != said.end());
    CHECK(body->payload.find(":scheme is missing") != std::string::npos);
    CHECK_FALSE(body->is_last());
    CHECK(said.back().number_at(0) == 1);
    clients.parts.driven.settle(5);
    CHECK(clients.parts.kit().blocks.held_bytes() == 0);
    CHECK(clients.parts.kit().metrics->ended() == 1);
}

TEST_CASE("draining tells an idle client of HTTP/2 twice, and then closes") {
    Clients clients;
    net::Fd far = clients.add();
    net::send_some(far, http::frames::preface());
    frames_until(clients, far, http::frames::kSettings);
    clients.parts.driven.settle(5);
    net::receive(far);
    clients.parts.kit().draining = true;
    clients.set->drain();
    const auto notice = frames_until(clients, far, http::frames::kGoaway);
    const auto is_kind = [](uint8_t type) { return [type](const Frame& each) { return each.type == type; }; };
    const auto goaway = std::find_if(notice.begin(), notice.end(), is_kind(http::frames::kGoaway));
    CHECK(goaway->number_at(0) == 0x7fffffff);
    const auto ping = std::find_if(notice.begin(), notice.end(), is_kind(http::frames::kPing));
    REQUIRE(ping != notice.end());
    net::send_some(far, http::frames::frame(http::frames::kPing, http::frames::kAck, 0, ping->payload));
    const auto last = frames_until(clients, far, http::frames::kGoaway);
    CHECK(last.front().number_at(0) == 0);
    REQUIRE(clients.parts.driven.until([&] { return net::next_at(far) == "end"; }));
    far = net::Fd();
    CHECK(clients.parts.driven.until([&] { return clients.set->empty(); }));
}

TEST_CASE("shutting closes clients of HTTP/2 too, with whatever they have under way") {
    Clients clients;
    net::Fd far = clients.add();
    const std::string head = http::frames::get_block().substr(0, 5);
    net::send_some(far, http::frames::preface() + http::frames::frame(http::frames::kHeaders, 0, 1, head));
    frames_until(clients, far, http::frames::kSettings);
    clients.set->shut();
    CHECK(clients.set->empty());
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
}

}  // namespace weir::proxy
