#include "app/clients_page.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "app/watched_parts.h"

namespace weir::app {

namespace {

using nlohmann::json;

constexpr Time kNow = Time(std::chrono::seconds(110));

policy::ClientUse use_of(uint8_t number) {
    return {.client = number, .address = policy::ipv4_bytes({192, 0, 2, number})};
}

json clients_of(const WatchedParts& parts) { return json::parse(clients_json(parts.overview, kNow)); }

}  // namespace

TEST_CASE("the busiest clients stand first, each worker's share added up") {
    WatchedParts parts;
    for (size_t i = 0; i < 30; ++i) {
        parts.client_books[0].note(use_of(1), kNow);
        parts.client_books[1].note(use_of(1), kNow);
        policy::ClientUse other = use_of(2);
        other.is_refused = i % 3 == 0;
        other.in_app = std::chrono::milliseconds(200);
        parts.client_books[i % 2].note(other, kNow);
    }
    const json clients = clients_of(parts);
    CHECK(clients["half_life_seconds"] == 30);
    CHECK(clients["key"] == "ip");
    REQUIRE(clients["by_requests"].size() == 2);
    CHECK(clients["by_requests"][0]["client"] == "192.0.2.1");
    // 60 requests in the ten seconds since the start, all of them just now.
    CHECK(double(clients["by_requests"][0]["per_second"]) == doctest::Approx(60 / 8.93).epsilon(0.02));
    CHECK(clients["by_requests"][0]["error"] == 0);
    CHECK_FALSE(clients["by_requests"][0].contains("key"));
    REQUIRE(clients["by_refusals"].size() == 1);
    CHECK(clients["by_refusals"][0]["client"] == "192.0.2.2");
    REQUIRE(clients["by_time"].size() == 1);
    CHECK(double(clients["by_time"][0]["in_app"]) == doctest::Approx(6 / 8.93).epsilon(0.02));
}

TEST_CASE("no more clients are shown than there is room for on a page") {
    WatchedParts parts;
    for (uint8_t number = 1; number <= 100; ++number)
        for (uint8_t times = 0; times < number; ++times) parts.client_books[0].note(use_of(number), kNow);
    const json rows = clients_of(parts)["by_requests"];
    REQUIRE(rows.size() == kBusiestShown);
    CHECK(rows[0]["client"] == "192.0.2.100");
    CHECK(rows[kBusiestShown - 1]["client"] == "192.0.2.81");
}

TEST_CASE("what tells clients apart beside their addresses is shown as a hash") {
    config::Settings settings = proxy::limited_settings();
    using Kind = config::KeyPart::Kind;
    settings.clients.key = {{.kind = Kind::header, .name = "x-api-key"},
                            {.kind = Kind::cookie, .name = "Sid"}};
    WatchedParts parts(settings);
    policy::ClientUse use = use_of(1);
    use.client = 0xABC;
    parts.client_books[0].note(use, kNow);
    const json clients = clients_of(parts);
    CHECK(clients["key"] == "header:x-api-key, cookie:Sid");
    CHECK(clients["by_requests"][0]["key"] == "0000000000000abc");
    CHECK(clients["by_requests"][0]["client"] == "192.0.2.1");
}

TEST_CASE("where nothing has happened the lists are empty") {
    WatchedParts parts;
    for (const char* list : {"by_requests", "by_refusals", "by_time"})
        CHECK(clients_of(parts)[list] == json::array());
}

}  // namespace weir::app
