#include "app/front_door.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/tls_pair.h"
#include "proxy/worker_parts.h"

namespace weir::app {

namespace {

/// Two addresses, the second without TLS.
struct Parts : net::Authority {
    config::Settings settings = proxy::wide_settings();
    net::DrivenLoop driven;

    Parts() {
        settings.listen.resize(2);
        settings.listen[0].address = {.host = "127.0.0.1", .port = 443, .path = {}};
        settings.listen[0].tls = {certificate("app")};
        settings.listen[1].address = {.host = "127.0.0.1", .port = 80, .path = {}};
        settings.listen[1].redirect_https = 8443;
        settings.listen[1].proxy_protocol = true;
    }
    config::Certificate certificate(const std::string& name) {
        const auto made = net::make_identity(name, {.names = "DNS:app.test", .issuer = &ca});
        const std::string stem = folder.file(name.c_str());
        net::write_pem(stem + ".pem", made);
        net::write_key(stem + ".key", made);
        return {.certificate = stem + ".pem", .key = stem + ".key", .client_ca = {}};
    }
};

/// As a reload does it.
void change(FrontDoor& door, const std::vector<config::Listen>& wanted) {
    auto change = door.prepare(wanted);
    REQUIRE(change);
    door.change(std::move(*change));
}

const net::TlsServerContext* context_of(const FrontDoor& door, const config::Listen& listen) {
    return door.entrance(listen)->tls->context().get();
}

}  // namespace

TEST_CASE("each address has what its settings say") {
    Parts parts;
    auto door = FrontDoor::open(parts.settings, parts.driven.loop);
    REQUIRE(door);
    CHECK((*door)->entrance(parts.settings.listen[0])->tls != nullptr);
    CHECK_FALSE((*door)->entrance(parts.settings.listen[0])->has_proxy_header);
    CHECK_FALSE((*door)->entrance(parts.settings.listen[0])->redirect_https);
    CHECK((*door)->entrance(parts.settings.listen[1])->tls == nullptr);
    CHECK((*door)->entrance(parts.settings.listen[1])->has_proxy_header);
    CHECK((*door)->entrance(parts.settings.listen[1])->redirect_https == 8443);
}

TEST_CASE("a certificate that cannot be used keeps the door shut, and is named with its address") {
    Parts parts;
    parts.settings.listen[0].tls[0].key = "/nowhere.key";
    auto door = FrontDoor::open(parts.settings, parts.driven.loop);
    REQUIRE_FALSE(door);
    CHECK(door.error() == "TLS at 127.0.0.1:443: cannot read `/nowhere.key`: No such file or directory");
}

TEST_CASE("certificates are changed at run time, and a bad one changes nothing") {
    Parts parts;
    auto opened = FrontDoor::open(parts.settings, parts.driven.loop);
    REQUIRE(opened);
    FrontDoor& door = **opened;
    const auto* first = context_of(door, parts.settings.listen[0]);
    change(door, parts.settings.listen);
    const auto* second = context_of(door, parts.settings.listen[0]);
    CHECK(second != first);
    parts.settings.listen[0].tls = {parts.certificate("new"), {"/nowhere.pem", "/nowhere.key", {}}};
    auto refused = door.prepare(parts.settings.listen);
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == "TLS at 127.0.0.1:443: cannot read `/nowhere.pem`: No such file or directory");
    CHECK(context_of(door, parts.settings.listen[0]) == second);
}

TEST_CASE("an address that is to do something else gets another entrance, whatever it is") {
    Parts parts;
    auto opened = FrontDoor::open(parts.settings, parts.driven.loop);
    REQUIRE(opened);
    FrontDoor& door = **opened;
    const auto becomes = [&](auto alter) {
        config::Listen& listen = parts.settings.listen[1];
        const auto former = door.entrance(listen);
        alter(listen);
        change(door, parts.settings.listen);
        return door.entrance(listen) != former;
    };
    CHECK_FALSE(becomes([](config::Listen&) {}));
    CHECK(becomes([](config::Listen& listen) { listen.proxy_protocol = false; }));
    CHECK(becomes([](config::Listen& listen) { listen.redirect_https = 443; }));
    CHECK(becomes([](config::Listen& listen) { listen.redirect_https.reset(); }));
    CHECK(becomes([](config::Listen& listen) { listen.http2 = false; }));
    CHECK(becomes([](config::Listen& listen) { listen.address.port = 81; }));
    CHECK(becomes([&](config::Listen& listen) { listen.tls = {parts.certificate("late")}; }));
    CHECK_FALSE(becomes([&](config::Listen& listen) { listen.tls = {parts.certificate("later")}; }));
    CHECK(becomes([](config::Listen& listen) { listen.tls.clear(); }));
}

TEST_CASE("an entrance lasts as long as somebody came in by it, and TLS with it") {
    Parts parts;
    auto opened = FrontDoor::open(parts.settings, parts.driven.loop);
    REQUIRE(opened);
    FrontDoor& door = **opened;
    const std::vector<config::Listen> both = parts.settings.listen;
    proxy::SharedEntrance connection = door.entrance(both[0]);
    const std::weak_ptr<const proxy::Entrance> held = connection;
    const std::weak_ptr<const proxy::Entrance> free = door.entrance(both[1]);
    change(door, {});
    CHECK(free.expired());
    REQUIRE_FALSE(held.expired());
    CHECK(connection->tls->context() != nullptr);
    change(door, both);
    CHECK(door.entrance(both[0]) != connection);
    connection.reset();
    CHECK(held.expired());
}

TEST_CASE("however often addresses change, those that are gone leave nothing") {
    Parts parts;
    auto opened = FrontDoor::open(parts.settings, parts.driven.loop);
    REQUIRE(opened);
    FrontDoor& door = **opened;
    parts.settings.listen.erase(parts.settings.listen.begin());
    std::vector<std::weak_ptr<const proxy::Entrance>> known;
    for (uint16_t number = 0; number < 10'000; ++number) {
        parts.settings.listen[0].address.port = number;
        parts.settings.listen[0].proxy_protocol = number % 3 == 0;
        change(door, parts.settings.listen);
        known.emplace_back(door.entrance(parts.settings.listen[0]));
    }
    const auto left =
        std::count_if(known.begin(), known.end(), [](const auto& each) { return !each.expired(); });
    CHECK(left == 1);
}

}  // namespace weir::app
