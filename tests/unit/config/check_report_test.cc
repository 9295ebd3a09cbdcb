#include "config/check_report.h"

#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

/// Paths and values, which is all that a second load can keep.
std::vector<std::pair<std::string, std::string>> values(const Loaded& loaded) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const Origin& origin : loaded.origins) all.emplace_back(origin.path, origin.value);
    return all;
}

void check_reload(const Loaded& loaded) {
    const std::string report = effective_config(loaded);
    CAPTURE(report);
    const Loaded again = load_well(sources(report));
    CHECK(values(again) == values(loaded));
    CHECK(effective_config(again).size() > 0);
    REQUIRE(again.settings.listen.size() == loaded.settings.listen.size());
    for (size_t i = 0; i < again.settings.listen.size(); ++i) {
        CHECK(again.settings.listen[i].address == loaded.settings.listen[i].address);
        CHECK(again.settings.listen[i].mode == loaded.settings.listen[i].mode);
    }
    REQUIRE(again.settings.upstream.servers.size() == loaded.settings.upstream.servers.size());
    for (size_t i = 0; i < again.settings.upstream.servers.size(); ++i) {
        CHECK(again.settings.upstream.servers[i].address == loaded.settings.upstream.servers[i].address);
        CHECK(again.settings.upstream.servers[i].is_tls == loaded.settings.upstream.servers[i].is_tls);
        CHECK(again.settings.upstream.servers[i].weight == loaded.settings.upstream.servers[i].weight);
    }
    CHECK(again.settings.upstream.host == loaded.settings.upstream.host);
    CHECK(again.settings.upstream.pool.idle_timeout == loaded.settings.upstream.pool.idle_timeout);
    CHECK(again.settings.health.expect.statuses == loaded.settings.health.expect.statuses);
    CHECK(again.settings.health.expect.body == loaded.settings.health.expect.body);
    CHECK(again.settings.health.passive.failures == loaded.settings.health.passive.failures);
    CHECK(again.settings.log.access == loaded.settings.log.access);
    CHECK(again.settings.workers == loaded.settings.workers);
}

}  // namespace

TEST_CASE("the effective configuration shows every value and where it came from") {
    Sources all = sources(
        "listen: [:8080, {address: unix:/run/w.sock, mode: 0600}]\nupstream: "
        "http://127.0.0.1:5000\nlimits:\n  body: 1MiB\n",
        {{"WEIR_TIMEOUT", "5s"}});
    all.flags = {{"workers", "auto", "--set workers=auto"}};
    CHECK(effective_config(load_well(all)) ==
          "listen:                                    # weir.yaml:1\n"
          "  - :8080\n"
          "  - {address: unix:/run/w.sock, mode: 0600}\n"
          "admin:\n"
          "  address: 127.0.0.1:9180                  # default\n"
          "  token: ~                                 # default\n"
          "workers: auto                              # --set\n"
          "drain: 30s                                 # default\n"
          "upstream:\n"
          "  servers: http://127.0.0.1:5000           # weir.yaml:2\n"
          "  balance: least_in_flight                 # default\n"
          "  host: ~                                  # default\n"
          "  pool:\n"
          "    max_idle: 64                           # default\n"
          "    min_idle: 0                            # default\n"
          "    idle_timeout: auto                     # default\n"
          "    max_requests: 0                        # default\n"
          "    max_age: 1h                            # default\n"
          "  retry:\n"
          "    attempts: 2                            # default\n"
          "    budget: 20%                            # default\n"
          "  hold: 5s                                 # default\n"
          "  tls:\n"
          "    ca: ~                                  # default\n"
          "    verify: true                           # default\n"
          "    server_name: ~                         # default\n"
          "health:\n"
          "  path: ~                                  # default\n"
          "  interval: 5s                             # default\n"
          "  timeout: 2s                              # default\n"
          "  rise: 2                                  # default\n"
          "  fall: 3                                  # default\n"
          "  expect:\n"
          "    status: 200-399                        # default\n"
          "    body: ~                                # default\n"
          "  passive:\n"
          "    failures: 5                            # default\n"
          "    window: 10s                            # default\n"
          "    eject: 10s                             # default\n"
          "    max_eject: 10m                         # default\n"
          "clients:\n"
          "  key: ip                                  # default\n"
          "  ipv6_prefix: 64                          # default\n"
          "  trusted_proxies: []                      # default\n"
          "  max_connections: 10000                   # default\n"
          "  max_connections_per_ip: 512              # default\n"
          "limits:\n"
          "  mode: enforce                            # default\n"
          "  rate: []                                 # default\n"
          "  concurrency: ~                           # default\n"
          "  queue:\n"
          "    size: 0                                # default\n"
          "    wait: 5s                               # default\n"
          "  per_client_concurrency: ~                # default\n"
          "  body: 1MiB                               # weir.yaml:4\n"
          "  keys: 100000                             # default\n"
          "  header: 16KiB                            # default\n"
          "  headers: 100                             # default\n"
          "  uri: 8KiB                                # default\n"
          "  min_rate: 256B/s                         # default\n"
          "  memory: 256MiB                           # default\n"
          "buffers:\n"
          "  request: 64KiB                           # default\n"
          "  response: 256KiB                         # default\n"
          "timeout:\n"
          "  total: 5s                                # WEIR_TIMEOUT\n"
          "  header: 10s                              # default\n"
          "  keepalive: 75s                           # default\n"
          "  connect: 2s                              # default\n"
          "  stall: ~                                 # default\n"
          "  tunnel: 1h                               # default\n"
          "cors:\n"
          "  origins: []                              # default\n"
          "  methods:                                 # default\n"
          "    - GET\n"
          "    - HEAD\n"
          "    - POST\n"
          "  headers: []                              # default\n"
          "  expose: []                               # default\n"
          "  credentials: false                       # default\n"
          "  max_age: 10m                             # default\n"
          "log:\n"
          "  access: stdout                           # default\n"
          "  format: json                             # default\n"
          "  level: info                              # default\n"
          "  slow: 1s                                 # default\n"
          "errors:\n"
          "  format: problem                          # default\n"
          "  content_type: text/plain; charset=utf-8  # default\n"
          "  body: ~                                  # default\n"
          "headers:\n"
          "  rate_limit: draft                        # default\n"
          "  request_start: true                      # default\n"
          "  deadline: true                           # default\n"
          "public:\n"
          "  health: ~                                # default\n"
          "  queue_stats: ~                           # default\n"
          "routes: []                                 # default\n"
          "shadow: []                                 # default\n");
}

TEST_CASE("the effective configuration loads to the same settings") {
    check_reload(load_well(std::string()));
    check_reload(
        load_well(sources("listen: [:8080, {address: \"[::1]:81\", mode: 0600}, \"unix:/run/a, b]: #x\"]\n"
                          "upstream:\n  - http://a\n  - \"http://[::1]:5000\"\n  - unix:/run/$$x ${Y}\n"
                          "workers: auto\nlog: {access: \"/var/é \\\"q\\\" $$ #: x\"}\n",
                          {{"Y", "$${Z} $"}})));
    check_reload(load_well(sources(
        "listen: :80\nupstream: {servers: http://a, host: \"[::1]:80\", pool: {idle_timeout: 1m30s}}\n")));
    check_reload(load_well(
        sources("listen: :80\nupstream: {servers: [{url: https://a, weight: 3, slow_start: 30s}], hold: 0s}\n"
                "health: {path: /up, expect: {status: [200, 204-206], body: \"#: ok\"}, passive: off}\n")));
}

TEST_CASE("lists of maps, nested lists and maps with names of their own load to the same settings") {
    const Loaded loaded = load_well(R"(
clients: {key: [header:X-Key, route], trusted_proxies: 10.0.0.0/8}
limits:
  rate:
    - 60/min
    - {limit: 100/15s, burst: 200, key: [client, "cookie:a"], name: bursts, mode: shadow}
routes:
  - match:
      path: ["/a/*", "/b/{id}"]
      header: {X-A: "1: {x}, [y]", "x-b": ~, "X-C": "#$$${V}"}
    limits: {rate: [10/min, {limit: 5/s, cost: 2}], concurrency: 4, queue: {size: 1, wait: 1s}}
  - match: {path: "/b/{id}", method: POST}
    params:
      path: {id: {int: 1..}}
      query: {"filter[a: b]": {enum: ["a, b", '{c}', "~"]}, "~": {len: ..5}, "null": {default: ""}, "é\"q\\": {}}
  - match: {header: X-D}
    limits: {rate: none}
shadow: {rate: 30/min, name: tighter}
errors: {body: "<p title='x'>{status}: {detail} $$ # {}\n\t</p>"}
cors: https://app.example
)",
                                    {{"V", "$${Z}"}});
    check_reload(loaded);
    const Loaded again = load_well(sources(effective_config(loaded)));
    REQUIRE(again.settings.limits.rates.size() == 2);
    CHECK(again.settings.limits.rates[1].key == loaded.settings.limits.rates[1].key);
    CHECK(again.settings.limits.rates[1].mode.value == Mode::shadow);
    REQUIRE(again.settings.routes.size() == 3);
    CHECK(again.settings.routes[0].match.paths == loaded.settings.routes[0].match.paths);
    REQUIRE(again.settings.routes[0].match.headers.size() == 3);
    CHECK(again.settings.routes[0].match.headers[0].value == "1: {x}, [y]");
    CHECK_FALSE(again.settings.routes[0].match.headers[1].value.has_value());
    CHECK(again.settings.routes[0].match.headers[2].value == "#$$${Z}");
    CHECK(again.settings.routes[0].limits.rates[1].cost == 2);
    const std::vector<Param>& query = again.settings.routes[1].params.query;
    REQUIRE(query.size() == 4);
    CHECK(query[0].name == "filter[a: b]");
    CHECK(query[0].choices == std::vector<std::string>{"a, b", "{c}", "~"});
    CHECK(query[1].name == "~");
    CHECK(query[2].name == "null");
    CHECK(query[2].fallback == "");
    CHECK(query[3].name == "é\"q\\");
    CHECK(again.settings.routes[2].limits.is_exempt);
    CHECK(again.settings.errors.body == loaded.settings.errors.body);
    CHECK(again.settings.errors.format == ErrorFormat::body);
    CHECK(value_of(again, "errors.format") == "body");
    CHECK(again.settings.shadow[0].name == "tighter");
}

TEST_CASE("a long value does not push the comments away, and a hostile file name stays in its comment") {
    Sources all = sources(std::string(kSmallest) + "log: {access: /" + std::string(200, 'a') + "}\n");
    all.file_name = "a\nlisten: b";
    const Loaded loaded = load_well(all);
    const std::string report = effective_config(loaded);
    CHECK(report.find("workers: 1                                 # default\n") != std::string::npos);
    CHECK(report.find("# a\\x0alisten: b:1\n") != std::string::npos);
    check_reload(loaded);
}
