#include "net/tls_ticket_keys.h"

#include <doctest/doctest.h>

#include <thread>

using weir::net::TlsTicketKeys;

TEST_CASE("keys are found by name for as long as they are one of the last three") {
    TlsTicketKeys ring;
    const auto first = ring.newest();
    CHECK(ring.find(first.name)->is_newest);
    ring.rotate();
    CHECK(ring.newest().name != first.name);
    CHECK_FALSE(ring.find(first.name)->is_newest);
    ring.rotate();
    REQUIRE(ring.find(first.name));
    CHECK(ring.find(first.name)->key.cipher == first.cipher);
    CHECK(ring.find(first.name)->key.mac == first.mac);
    ring.rotate();
    CHECK_FALSE(ring.find(first.name));
}

TEST_CASE("no two keys are alike, in no part") {
    TlsTicketKeys one;
    TlsTicketKeys other;
    CHECK(one.newest().name != other.newest().name);
    CHECK(one.newest().cipher != other.newest().cipher);
    CHECK(one.newest().mac != other.newest().mac);
    CHECK(one.newest().mac != one.newest().cipher);
    CHECK_FALSE(one.find(other.newest().name));
}

TEST_CASE("threads may ask while keys are changed") {
    TlsTicketKeys ring;
    std::thread changes([&] {
        for (int i = 0; i < 1000; ++i) ring.rotate();
    });
    int found = 0;
    for (int i = 0; i < 1000; ++i) found += ring.find(ring.newest().name).has_value() ? 1 : 0;
    changes.join();
    CHECK(found > 0);
}
