#include "proxy/prober.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "net/quiet_log.h"
#include "proxy/prober_set.h"
#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;
using Health = Fleet::Health;
using policy::CheckResult;

constexpr std::string_view kFine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

net::SocketAddress address_of(const net::Fd& listening) { return net::SocketAddress::local_of(listening); }

/// An address on which nobody listens.
net::SocketAddress nowhere() { return address_of(net::listen_on_loopback()); }

/// A fleet whose servers are asked, with an app that a test plays.
class Asked {
  public:
    Asked() {
        settings.health.path = "/up";
        settings.health.interval = 250ms;
        settings.health.timeout = 10s;
        settings.health.rise = settings.health.fall = 1;
        settings.health.expect.statuses = {{200, 399}};
        settings.upstream.servers = {{.address = app.endpoint()}};
    }

    void start() {
        auto plan = std::make_shared<Plan>(settings, Surroundings{.seed = HashSeed{1, 2}});
        fleet = plan->fleet;
        probers = std::make_unique<ProberSet>(
            ProbeKit{driven.loop, std::move(plan), std::mt19937(1), [this](size_t server, Health health) {
                         CHECK(fleet->health(server) == health);
                         changes.emplace_back(server, health);
                     }});
    }

    /// Waits for the next check and answers it.
    void answer(const App& asked, std::string_view answer) {
        REQUIRE(driven.until([&] { return bool(far = net::accept_one(asked.listening)); }));
        std::string request;
        REQUIRE(driven.until([&] { return (request += net::receive(far)).ends_with("\r\n\r\n"); }));
        net::send_some(far, answer);
    }
    [[nodiscard]] bool until(Health health, size_t server = 0) {
        return driven.until([&] { return fleet->health(server) == health; });
    }
    [[nodiscard]] bool until_counted(CheckResult result, uint64_t times = 1) {
        return driven.until([&] { return fleet->checks(0, result) == times; });
    }

    QuietLog quiet;
    App app;
    config::Settings settings = wide_settings();
    net::DrivenLoop driven;
    std::shared_ptr<Fleet> fleet;
    std::unique_ptr<ProberSet> probers;
    std::vector<std::pair<size_t, Health>> changes;
    net::Fd far;
};

}  // namespace

TEST_CASE("a server comes up with the first check that passes, and goes down and up by further ones") {
    Asked asked;
    asked.start();
    CHECK(asked.fleet->health(0) == Health::unknown);
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until(Health::up));
    asked.answer(asked.app, "HTTP/1.1 500 Oh\r\n\r\n");
    REQUIRE(asked.until(Health::down));
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until(Health::up));
    CHECK(asked.changes ==
          std::vector<std::pair<size_t, Health>>{{0, Health::up}, {0, Health::down}, {0, Health::up}});
    CHECK(asked.fleet->checks(0, CheckResult::passed) == 2);
    CHECK(asked.fleet->checks(0, CheckResult::wrong_status) == 1);
}

TEST_CASE("each server is judged by its own answers") {
    Asked asked;
    App other;
    asked.settings.upstream.servers.push_back({.address = other.endpoint()});
    asked.start();
    asked.answer(other, "HTTP/1.1 404 Not Found\r\n\r\n");
    REQUIRE(asked.until(Health::down, 1));
    CHECK(asked.fleet->health(0) == Health::unknown);
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until(Health::up, 0));
    CHECK(asked.fleet->health(1) == Health::down);
}

TEST_CASE("a check that takes too long has failed, and its connection is closed") {
    Asked asked;
    asked.settings.health.timeout = 10ms;
    asked.start();
    asked.answer(asked.app, "");
    REQUIRE(asked.until(Health::down));
    CHECK(asked.fleet->checks(0, CheckResult::timed_out) == 1);
    CHECK(net::next_at(asked.far) == "end");
}

TEST_CASE("a server that has a name is not asked before that was looked up") {
    Asked asked;
    asked.settings.upstream.servers[0].address.host = "app.example";
    asked.start();
    asked.probers->hurry();
    const Time soon = asked.driven.loop.now() + 3 * TimingWheel::kTick;
    REQUIRE(asked.driven.until([&] { return asked.driven.loop.now() > soon; }));
    CHECK(asked.changes.empty());
    asked.probers->on_resolved(0, {.addresses = {}, .error = "no such name"});
    REQUIRE(asked.until(Health::down));
    CHECK(asked.fleet->checks(0, CheckResult::no_connection) == 1);
    asked.probers->on_resolved(0, {.addresses = {address_of(asked.app.listening)}, .error = {}});
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until(Health::up));
    asked.probers->on_resolved(0, {.addresses = {}, .error = "the name server is gone"});
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until_counted(CheckResult::passed, 2));
}

TEST_CASE("an address that refuses leads to the next one within the check, which is then kept") {
    Asked asked;
    asked.settings.upstream.servers[0].address.host = "app.example";
    asked.start();
    asked.probers->on_resolved(
        0, {.addresses = {nowhere(), nowhere(), address_of(asked.app.listening)}, .error = {}});
    for (uint64_t times = 1; times <= 2; ++times) {
        asked.answer(asked.app, kFine);
        REQUIRE(asked.until_counted(CheckResult::passed, times));
    }
    CHECK(asked.fleet->checks(0, CheckResult::no_connection) == 0);
}

TEST_CASE("a server that has moved is asked soon, where it is now") {
    Asked asked;
    App elsewhere;
    asked.settings.upstream.servers[0].address.host = "app.example";
    asked.settings.health.interval = 1250ms;
    asked.start();
    asked.probers->on_resolved(0, {.addresses = {address_of(asked.app.listening)}, .error = {}});
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until(Health::up));
    const Time begun = asked.driven.loop.now();
    asked.probers->on_resolved(0, {.addresses = {address_of(elsewhere.listening)}, .error = {}});
    asked.answer(elsewhere, kFine);
    CHECK(asked.driven.loop.now() - begun < 1s);
}

TEST_CASE("a check fails where every address refuses, and is counted once") {
    Asked asked;
    asked.settings.upstream.servers[0].address.host = "app.example";
    asked.settings.health.fall = 3;
    asked.start();
    asked.probers->on_resolved(0, {.addresses = {nowhere(), nowhere()}, .error = {}});
    REQUIRE(asked.until_counted(CheckResult::no_connection));
    CHECK(asked.fleet->health(0) == Health::unknown);
}

TEST_CASE("when requests cannot connect, the next check is near however long the interval is") {
    Asked asked;
    asked.settings.health.interval = 1250ms;
    asked.start();
    asked.answer(asked.app, kFine);
    REQUIRE(asked.until(Health::up));
    const Time begun = asked.driven.loop.now();
    asked.probers->hurry();
    asked.answer(asked.app, kFine);
    CHECK(asked.driven.loop.now() - begun < 1s);
}

TEST_CASE("a server that requests cannot connect to is asked soon, and the others when they are due") {
    Asked asked;
    App other;
    asked.settings.upstream.servers.push_back({.address = other.endpoint()});
    asked.settings.health.interval = 1250ms;
    asked.start();
    asked.answer(asked.app, kFine);
    asked.answer(other, kFine);
    REQUIRE(asked.until(Health::up, 0));
    REQUIRE(asked.until(Health::up, 1));
    asked.probers->hurry(Endpoint{.host = "192.0.2.7", .port = 80, .path = {}});
    asked.probers->hurry(other.endpoint());
    asked.answer(other, kFine);
    CHECK_FALSE(net::accept_one(asked.app.listening));
    asked.probers->hurry();
    asked.answer(asked.app, kFine);
}

TEST_CASE("checks end where they stand when their owner goes") {
    Asked asked;
    asked.start();
    asked.answer(asked.app, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    asked.driven.settle();
    asked.probers.reset();
    CHECK(net::next_at(asked.far) == "end");
    asked.driven.settle();
    CHECK(asked.changes.empty());
    CHECK(asked.fleet->checks(0, CheckResult::passed) == 0);
}

}  // namespace weir::proxy
