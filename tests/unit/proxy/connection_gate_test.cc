#include "proxy/connection_gate.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <thread>
#include <vector>

namespace weir::proxy {

namespace {

net::IpAddress v4(uint32_t last) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x0A000000U + last);
    return net::IpAddress::of(reinterpret_cast<const sockaddr*>(&address));
}

net::IpAddress v6(const char* text) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    inet_pton(AF_INET6, text, &address.sin6_addr);
    return net::IpAddress::of(reinterpret_cast<const sockaddr*>(&address));
}

}  // namespace

TEST_CASE("one address gets no more than its share, whatever room there is") {
    ConnectionGate gate({.connections = 100, .per_address = 2});
    CHECK(gate.enter(v4(1)));
    CHECK(gate.enter(v4(1)));
    CHECK_FALSE(gate.enter(v4(1)));
    CHECK(gate.enter(v4(2)));
    CHECK(gate.connections() == 3);
    CHECK(gate.refused() == 1);
}

TEST_CASE("all addresses together get no more than there is") {
    ConnectionGate gate({.connections = 3, .per_address = 2});
    CHECK(gate.enter(v4(1)));
    CHECK(gate.enter(v4(2)));
    CHECK(gate.enter(v4(3)));
    CHECK_FALSE(gate.enter(v4(4)));
}

TEST_CASE("who leaves makes room for the next") {
    ConnectionGate gate({.connections = 1, .per_address = 1});
    CHECK(gate.enter(v4(1)));
    gate.leave(v4(1));
    CHECK(gate.enter(v4(2)));
    CHECK_FALSE(gate.enter(v4(1)));
}

TEST_CASE("an IPv6 subscriber is one address, however many of its own it uses") {
    ConnectionGate gate({.connections = 100, .per_address = 1});
    CHECK(gate.enter(v6("2001:db8:1:1::1")));
    CHECK_FALSE(gate.enter(v6("2001:db8:1:1:ffff::2")));
    CHECK(gate.enter(v6("2001:db8:1:2::1")));
    gate.leave(v6("2001:db8:1:1:abcd::9"));
    CHECK(gate.enter(v6("2001:db8:1:1::3")));
}

TEST_CASE("an IPv4 address is the same one through an IPv6 socket") {
    ConnectionGate gate({.connections = 100, .per_address = 1});
    CHECK(gate.enter(v4(7)));
    CHECK_FALSE(gate.enter(v6("::ffff:10.0.0.7")));
}

TEST_CASE("a trusted proxy has no share of its own to use up, and counts among all") {
    const config::Cidr proxy{.address = v4(9).bytes, .prefix_bits = 128};
    ConnectionGate gate({.connections = 4, .per_address = 1, .exempt = policy::AddressSet({&proxy, 1})});
    for (int i = 0; i < 3; ++i) CHECK(gate.enter(v4(9)));
    CHECK(gate.enter(v4(1)));
    CHECK_FALSE(gate.enter(v4(9)));
    gate.leave(v4(9));
    CHECK_FALSE(gate.enter(v4(1)));
    CHECK(gate.enter(v4(9)));
    CHECK(gate.connections() == 4);
}

TEST_CASE("workers that enter and leave at the same time neither pass the bound nor lose count") {
    ConnectionGate gate({.connections = 64, .per_address = 16});
    std::vector<std::thread> workers;
    for (uint32_t worker = 0; worker < 4; ++worker)
        workers.emplace_back([&gate, worker] {
            for (int round = 0; round < 5000; ++round)
                if (gate.enter(v4(worker % 2))) gate.leave(v4(worker % 2));
        });
    for (auto& worker : workers) worker.join();
    CHECK(gate.connections() == 0);
}

}  // namespace weir::proxy
