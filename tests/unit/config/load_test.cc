#include "config/load.h"

#include <doctest/doctest.h>

#include "config/field_table.h"
#include "loading.h"

using namespace weir;
using namespace weir::config;
using namespace std::chrono_literals;

TEST_CASE("every default is the one that is promised") {
    const Settings settings = load_well(std::string()).settings;
    REQUIRE(settings.listen.size() == 1);
    CHECK(settings.listen[0].address == Endpoint{"0.0.0.0", 8080, {}});
    CHECK(settings.listen[0].mode == 0660);
    CHECK(settings.workers == 1);
    CHECK(settings.drain == 30s);
    REQUIRE(settings.upstream.servers.size() == 1);
    CHECK(settings.upstream.servers[0].address == Endpoint{"127.0.0.1", 5000, {}});
    CHECK(settings.upstream.balance == Balance::least_in_flight);
    CHECK(settings.upstream.host.empty());
    CHECK(settings.upstream.pool.max_idle == 64);
    CHECK(settings.upstream.pool.min_idle == 0);
    CHECK_FALSE(settings.upstream.pool.idle_timeout.has_value());
    CHECK(settings.upstream.pool.max_requests == 0);
    CHECK(settings.upstream.pool.max_age == 1h);
    CHECK(settings.clients.max_connections == 10'000);
    CHECK(settings.clients.max_connections_per_ip == 512);
    CHECK(settings.limits.body_bytes == 10 << 20);
    CHECK(settings.limits.header_bytes == 16 << 10);
    CHECK(settings.limits.headers == 100);
    CHECK(settings.limits.uri_bytes == 8 << 10);
    CHECK(settings.limits.min_rate_bytes_per_second == 256);
    CHECK(settings.limits.memory_bytes == 256 << 20);
    CHECK(settings.buffers.request_bytes == 64 << 10);
    CHECK(settings.buffers.response_bytes == 256 << 10);
    CHECK(settings.timeout.total == 30s);
    CHECK(settings.timeout.header == 10s);
    CHECK(settings.timeout.keepalive == 75s);
    CHECK(settings.timeout.connect == 2s);
    CHECK_FALSE(settings.timeout.stall);
    CHECK(settings.timeout.tunnel == 1h);
    CHECK(settings.log.access == "stdout");
    CHECK(settings.log.format == LogFormat::json);
    CHECK(settings.log.level == LogLevel::info);
    CHECK(settings.log.slow == 1s);
}

TEST_CASE("the app and its health have their defaults") {
    const Settings settings = load_well(std::string()).settings;
    const Server& server = settings.upstream.servers.at(0);
    CHECK_FALSE(server.is_tls);
    CHECK(server.weight == 1);
    CHECK_FALSE(server.max_in_flight.has_value());
    CHECK_FALSE(server.slow_start.has_value());
    CHECK(settings.upstream.retry.attempts == 2);
    CHECK(settings.upstream.retry.budget_percent == 20);
    CHECK(settings.upstream.hold == 5s);
    CHECK(settings.upstream.tls.ca.empty());
    CHECK(settings.upstream.tls.verify);
    CHECK(settings.upstream.tls.server_name.empty());
    CHECK(settings.health.path.empty());
    CHECK(settings.health.interval == 5s);
    CHECK(settings.health.timeout == 2s);
    CHECK(settings.health.rise == 2);
    CHECK(settings.health.fall == 3);
    CHECK(settings.health.expect.statuses == std::vector<StatusRange>{{200, 399}});
    CHECK(settings.health.expect.body.empty());
    CHECK(settings.health.passive.failures == 5);
    CHECK(settings.health.passive.window == 10s);
    CHECK(settings.health.passive.eject == 10s);
    CHECK(settings.health.passive.max_eject == 10min);
}

TEST_CASE("the keys of the app and its health reach their own places") {
    const Settings settings = load_well(sources(R"(
listen: :8080
upstream:
  servers:
    - {url: https://a, weight: 3, max_in_flight: 8, slow_start: 30s}
    - {url: "https://b:8443"}
    - http://c
  retry: {attempts: 4, budget: 5%}
  hold: 7s
  tls: {ca: ca.pem, verify: true, server_name: app.example}
health:
  path: /up
  interval: 9s
  timeout: 3s
  rise: 4
  fall: 6
  expect: {status: [200, 204-206, 302], body: ok}
  passive: {failures: 8, window: 11s, eject: 12s, max_eject: 13s}
)"))
                                  .settings;
    const Upstream& upstream = settings.upstream;
    REQUIRE(upstream.servers.size() == 3);
    CHECK(upstream.servers[0].address == Endpoint{"a", 443, {}});
    CHECK(upstream.servers[0].is_tls);
    CHECK(upstream.servers[0].weight == 3);
    CHECK(upstream.servers[0].max_in_flight == 8);
    CHECK(upstream.servers[0].slow_start == 30s);
    CHECK(upstream.servers[1].address == Endpoint{"b", 8443, {}});
    CHECK(upstream.servers[1].is_tls);
    CHECK(upstream.servers[1].weight == 1);
    CHECK(upstream.servers[2].address == Endpoint{"c", 80, {}});
    CHECK_FALSE(upstream.servers[2].is_tls);
    CHECK(upstream.retry.attempts == 4);
    CHECK(upstream.retry.budget_percent == 5);
    CHECK(upstream.hold == 7s);
    CHECK(upstream.tls.ca == "ca.pem");
    CHECK(upstream.tls.server_name == "app.example");
    const Health& health = settings.health;
    CHECK(health.path == "/up");
    CHECK(health.interval == 9s);
    CHECK(health.timeout == 3s);
    CHECK(health.rise == 4);
    CHECK(health.fall == 6);
    CHECK(health.expect.statuses == std::vector<StatusRange>{{200, 200}, {204, 206}, {302, 302}});
    CHECK(health.expect.body == "ok");
    CHECK(health.passive.failures == 8);
    CHECK(health.passive.window == 11s);
    CHECK(health.passive.eject == 12s);
    CHECK(health.passive.max_eject == 13s);
}

TEST_CASE("the usual job asks for the health by its path alone") {
    const Loaded loaded = load_well(sources(R"(
listen: 0.0.0.0:8080
upstream: http://127.0.0.1:5000
limits:
  rate: [60/min, 1000/hour]
  concurrency: 20
  queue: {size: 100, wait: 5s}
timeout: 30s
health: /health
)"));
    CHECK(loaded.warnings.empty());
    CHECK(loaded.settings.health.path == "/health");
    CHECK(loaded.settings.health.interval == 5s);
}

TEST_CASE("short forms of the app's care stand for the map below them") {
    CHECK(load_well("health: ~\n").settings.health.path.empty());
    CHECK_FALSE(load_well("health: {passive: off}\n").settings.health.passive.failures.has_value());
    CHECK(load_well("health: {passive: 7}\n").settings.health.passive.failures == 7);
    CHECK(load_well("health: {path: /, expect: 204}\n").settings.health.expect.statuses ==
          std::vector<StatusRange>{{204, 204}});
    CHECK(load_well(sources("listen: :80\nupstream: {servers: http://a, retry: 3}\n"))
              .settings.upstream.retry.attempts == 3);
}

TEST_CASE("every key reaches its own place in the settings") {
    const Settings settings = load_well(sources(R"(
listen:
  - :8080
  - {address: unix:/run/weir.sock, mode: 0600}
  - address: "[::1]:8081"
workers: auto
drain: 1m
upstream:
  servers: [http://a:1, http://b, "http://[::1]:5", unix:/run/app.sock, HTTP://C:7/]
  balance: round_robin
  host: app.example:81
  pool: {max_idle: 9, min_idle: 3, idle_timeout: 4s, max_requests: 1000, max_age: 2h}
clients: {max_connections: 20, max_connections_per_ip: 10}
limits: {body: 1GiB, header: 32KiB, headers: 50, uri: 4KiB, min_rate: 1KiB/s, memory: 2GiB}
buffers: {request: 8KiB, response: 16KiB}
timeout: {total: 20s, header: 1s, keepalive: 2s, connect: 3s, stall: 4s, tunnel: 5s}
log: {access: /var/log/weir.log, format: combined, level: debug, slow: 6s}
)"))
                                  .settings;
    REQUIRE(settings.listen.size() == 3);
    CHECK(settings.listen[0].address == Endpoint{"", 8080, {}});
    CHECK(settings.listen[1].address == Endpoint{"", 0, "/run/weir.sock"});
    CHECK(settings.listen[1].mode == 0600);
    CHECK(settings.listen[2].address == Endpoint{"::1", 8081, {}});
    CHECK(settings.listen[2].mode == 0660);
    CHECK(settings.workers == 0);
    CHECK(settings.drain == 1min);
    REQUIRE(settings.upstream.servers.size() == 5);
    CHECK(settings.upstream.servers[0].address == Endpoint{"a", 1, {}});
    CHECK(settings.upstream.servers[1].address == Endpoint{"b", 80, {}});
    CHECK(settings.upstream.servers[2].address == Endpoint{"::1", 5, {}});
    CHECK(settings.upstream.servers[3].address == Endpoint{"", 0, "/run/app.sock"});
    CHECK(settings.upstream.servers[4].address == Endpoint{"C", 7, {}});
    CHECK(settings.upstream.balance == Balance::round_robin);
    CHECK(settings.upstream.host == "app.example:81");
    CHECK(settings.upstream.pool.max_idle == 9);
    CHECK(settings.upstream.pool.min_idle == 3);
    CHECK(settings.upstream.pool.idle_timeout == 4s);
    CHECK(settings.upstream.pool.max_requests == 1000);
    CHECK(settings.upstream.pool.max_age == 2h);
    CHECK(settings.clients.max_connections == 20);
    CHECK(settings.clients.max_connections_per_ip == 10);
    CHECK(settings.limits.body_bytes == 1 << 30);
    CHECK(settings.limits.header_bytes == 32 << 10);
    CHECK(settings.limits.headers == 50);
    CHECK(settings.limits.uri_bytes == 4 << 10);
    CHECK(settings.limits.min_rate_bytes_per_second == 1024);
    CHECK(settings.limits.memory_bytes == size_t{2} << 30);
    CHECK(settings.buffers.request_bytes == 8 << 10);
    CHECK(settings.buffers.response_bytes == 16 << 10);
    CHECK(settings.timeout.total == 20s);
    CHECK(settings.timeout.header == 1s);
    CHECK(settings.timeout.keepalive == 2s);
    CHECK(settings.timeout.connect == 3s);
    CHECK(settings.timeout.stall == 4s);
    CHECK(settings.timeout.tunnel == 5s);
    CHECK(settings.log.access == "/var/log/weir.log");
    CHECK(settings.log.format == LogFormat::combined);
    CHECK(settings.log.level == LogLevel::debug);
    CHECK(settings.log.slow == 6s);
}

TEST_CASE("a bare value is a shorthand for the map") {
    CHECK(load_well("timeout: 5s\n").settings.timeout.total == 5s);
    CHECK(load_well(sources("listen: unix:/run/w.sock\nupstream: unix:/run/a.sock\n"))
              .settings.listen[0]
              .mode == 0660);
    CHECK(load_well(sources("listen: {address: :80, mode: 0600}\nupstream: [http://a, http://b]\n"))
              .settings.upstream.servers.size() == 2);
    CHECK(load_well(sources("listen: [:80, :81]\nupstream: {servers: http://a}\n")).settings.listen.size() ==
          2);
}

TEST_CASE("a section without keys changes nothing") {
    CHECK(load_well("limits:\n  # body: 1MiB\ntimeout: ~\nlog: {}\n").settings.limits.body_bytes == 10 << 20);
}

TEST_CASE("later sources win, key by key: default, file, environment, flag") {
    Sources all = sources(std::string(kSmallest) + "timeout: {total: 10s, header: 3s, connect: 1s}\n",
                          {{"WEIR_TIMEOUT_TOTAL", "20s"}, {"WEIR_TIMEOUT_HEADER", "4s"}});
    all.flags = {{"timeout.total", "40s", "--set timeout.total=40s"},
                 {"timeout.total", "50s", "--set timeout.total=50s"}};
    const Loaded loaded = load_well(all);
    CHECK(loaded.settings.timeout.total == 50s);
    CHECK(loaded.settings.timeout.header == 4s);
    CHECK(loaded.settings.timeout.connect == 1s);
    CHECK_FALSE(loaded.settings.timeout.stall);
    CHECK(origin_of(loaded, "timeout.total") == "--set");
    CHECK(value_of(loaded, "timeout.total") == "50s");
    CHECK(origin_of(loaded, "timeout.header") == "WEIR_TIMEOUT_HEADER");
    CHECK(origin_of(loaded, "timeout.connect") == "weir.yaml:3");
    CHECK(origin_of(loaded, "timeout.stall") == "default");
}

TEST_CASE("every key has its origin, in the order of the table") {
    const Loaded loaded = load_well(std::string());
    size_t i = 0;
    for (const Field& field : fields()) {
        if (is_in_list(field) || (field.is_section() && !field.is_list())) continue;
        REQUIRE(i < loaded.origins.size());
        CHECK(loaded.origins[i].path == key_path(field.path));
        ++i;
    }
    CHECK(i == loaded.origins.size());
    CHECK(value_of(loaded, "listen") == "0.0.0.0:8080");
    CHECK(value_of(loaded, "upstream.pool.idle_timeout") == "auto");
    CHECK(value_of(loaded, "upstream.host") == "~");
}

TEST_CASE("a later list replaces the earlier one as a whole") {
    Sources all = sources(
        "listen: [:80, {address: :81, mode: 0600}]\nupstream: {servers: [http://a, http://b], balance: "
        "round_robin}\n");
    all.flags = {{"listen", "127.0.0.1:9", "--listen 127.0.0.1:9"},
                 {"upstream", "http://c:7", "--upstream http://c:7"}};
    const Loaded loaded = load_well(all);
    REQUIRE(loaded.settings.listen.size() == 1);
    CHECK(loaded.settings.listen[0].address == Endpoint{"127.0.0.1", 9, {}});
    CHECK(loaded.settings.listen[0].mode == 0660);
    REQUIRE(loaded.settings.upstream.servers.size() == 1);
    CHECK(loaded.settings.upstream.servers[0].address.host == "c");
    CHECK(loaded.settings.upstream.balance == Balance::round_robin);
    CHECK(origin_of(loaded, "listen") == "--listen");
    CHECK(origin_of(loaded, "upstream.servers") == "--upstream");
    CHECK(origin_of(loaded, "upstream.balance") == "weir.yaml:2");
}

TEST_CASE("flags alone are a configuration") {
    Sources all;
    all.flags = {{"listen", "[::]:8080", "--listen [::]:8080"},
                 {"upstream", "[http://[::1]:5000, unix:/run/a b.sock]", "--upstream"},
                 {"limits", "{body: 1MiB}", "--set limits={body: 1MiB}"},
                 {"upstream.host", "", "--set upstream.host="}};
    all.flags[1].value = "[\"http://[::1]:5000\", unix:/run/a b.sock]";
    const Loaded loaded = load_well(all);
    CHECK(loaded.settings.listen[0].address == Endpoint{"::", 8080, {}});
    REQUIRE(loaded.settings.upstream.servers.size() == 2);
    CHECK(loaded.settings.upstream.servers[1].address.path == "/run/a b.sock");
    CHECK(loaded.settings.limits.body_bytes == 1 << 20);
    CHECK(loaded.settings.upstream.host.empty());
}

TEST_CASE("a variable or flag is taken as it stands: no second level of quotes, no expansion") {
    const Loaded loaded = load_well(
        "", {{"WEIR_LISTEN", " [::1]:8080 "}, {"WEIR_LOG_ACCESS", "/a: b #$$c"}, {"WEIR_TIMEOUT", "\"5s\""}});
    CHECK(loaded.settings.listen[0].address == Endpoint{"::1", 8080, {}});
    CHECK(loaded.settings.log.access == "/a: b #$$c");
    CHECK(loaded.settings.timeout.total == 5s);
    CHECK(loaded.warnings.empty());
}

TEST_CASE("the more specific variable wins") {
    const Loaded loaded = load_well("", {{"WEIR_TIMEOUT", "5s"}, {"WEIR_TIMEOUT_TOTAL", "6s"}});
    CHECK(loaded.settings.timeout.total == 6s);
    CHECK(origin_of(loaded, "timeout.total") == "WEIR_TIMEOUT_TOTAL");
}

TEST_CASE("a variable that belongs to no key is a warning, except those of tests") {
    const Loaded loaded = load_well("", {{"WEIR_TIMEOUT_TOTL", "5s"},
                                         {"WEIR_SERVICE_HOST", "10.0.0.1"},
                                         {"WEIR_TEST_X", "1"},
                                         {"WEIR_LISTEN_MODE", "1"}});
    REQUIRE(loaded.warnings.size() == 3);
    CHECK(loaded.warnings[0].severity == Severity::warning);
    CHECK(loaded.warnings[0].source == "environment");
    CHECK(loaded.warnings[0].message == "the variable `WEIR_LISTEN_MODE` belongs to no key");
    CHECK(loaded.warnings[2].message == "the variable `WEIR_TIMEOUT_TOTL` belongs to no key");
    CHECK(loaded.warnings[2].hint == "did you mean `WEIR_TIMEOUT_TOTAL`?");
}

TEST_CASE("variables are expanded in the file before its values are read") {
    const Loaded loaded = load_well(
        sources("listen: ${HOST:-127.0.0.1}:${PORT}\nupstream: http://${APP}\nlog: {access: /var/$$x}\n",
                {{"PORT", "81"}, {"APP", "app:5000"}}));
    CHECK(loaded.settings.listen[0].address == Endpoint{"127.0.0.1", 81, {}});
    CHECK(loaded.settings.upstream.servers[0].address == Endpoint{"app", 5000, {}});
    CHECK(loaded.settings.log.access == "/var/$x");
    CHECK(value_of(loaded, "listen") == "127.0.0.1:81");
    CHECK(value_of(loaded, "log.access") == "/var/$$x");
}

TEST_CASE("a file past the bound is refused unread") {
    Sources all = sources(std::string(kMaxConfigBytes + 1, '#'));
    const auto found = mistakes_in(all);
    REQUIRE(found.size() == 1);
    CHECK(found[0].message == "the file is larger than 1MiB");
    all.file_text = kSmallest;
    all.file_text.resize(kMaxConfigBytes, '#');
    CHECK(load(all).has_value());
}

TEST_CASE("the ends of a range are in it, what is beyond is not") {
    CHECK(
        load_well(
            "limits: {memory: 64GiB, body: 1TiB, headers: 1000, header: 256KiB, uri: 256KiB}\nworkers: 64\n")
            .settings.workers == 64);
    CHECK(load_well("clients: {max_connections: 1000000}\ntimeout: {total: 24h, stall: 1ms}\n")
              .settings.timeout.total == 24h);
    CHECK(
        mistakes_in("limits: {memory: 65GiB, body: 1025GiB, headers: 1001, header: 257KiB, min_rate: 0B/s}\n"
                    "workers: 65\nclients: {max_connections: 1000001}\ntimeout: {total: 1d1ms, stall: 0s}\n")
            .size() == 9);
    const auto none = mistakes_in("workers: 0\n");
    REQUIRE(none.size() == 1);
    CHECK(none[0].message == "`workers`: `0` is out of range");
    CHECK(none[0].hint == "allowed: 1 to 64, or auto");
}

TEST_CASE("without an environment nothing is set") {
    Sources all = sources("listen: ${HOST:-:80}\nupstream: http://a\n");
    all.environment = nullptr;
    all.overrides = {"WEIR_TIMEOUT"};
    CHECK(load_well(all).settings.timeout.total == 30s);
}
