#include "proxy/client_set.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "net/quiet_log.h"
#include "proxy/clients.h"

namespace weir::proxy {

namespace {

config::Settings with_room_for(size_t connections) {
    config::Settings settings = wide_settings();
    settings.clients.max_connections = connections;
    return settings;
}

}  // namespace

TEST_CASE("clients are taken in up to the bound, the next one is closed at once") {
    QuietLog quiet;
    Clients clients(with_room_for(2));
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
        Clients clients(with_room_for(3));
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

}  // namespace weir::proxy
