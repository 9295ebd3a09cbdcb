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
    }
    CHECK(again.settings.upstream.host == loaded.settings.upstream.host);
    CHECK(again.settings.upstream.pool.idle_timeout == loaded.settings.upstream.pool.idle_timeout);
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
          "listen:                           # weir.yaml:1\n"
          "  - :8080\n"
          "  - {address: unix:/run/w.sock, mode: 0600}\n"
          "workers: auto                     # --set\n"
          "drain: 30s                        # default\n"
          "upstream:\n"
          "  servers: http://127.0.0.1:5000  # weir.yaml:2\n"
          "  balance: least_in_flight        # default\n"
          "  host: ~                         # default\n"
          "  pool:\n"
          "    max_idle: 64                  # default\n"
          "    min_idle: 0                   # default\n"
          "    idle_timeout: auto            # default\n"
          "    max_requests: 0               # default\n"
          "    max_age: 1h                   # default\n"
          "clients:\n"
          "  max_connections: 10000          # default\n"
          "  max_connections_per_ip: 512     # default\n"
          "limits:\n"
          "  body: 1MiB                      # weir.yaml:4\n"
          "  header: 16KiB                   # default\n"
          "  headers: 100                    # default\n"
          "  uri: 8KiB                       # default\n"
          "  min_rate: 256B/s                # default\n"
          "  memory: 256MiB                  # default\n"
          "buffers:\n"
          "  request: 64KiB                  # default\n"
          "  response: 256KiB                # default\n"
          "timeout:\n"
          "  total: 5s                       # WEIR_TIMEOUT\n"
          "  header: 10s                     # default\n"
          "  keepalive: 75s                  # default\n"
          "  connect: 2s                     # default\n"
          "  stall: 30s                      # default\n"
          "  tunnel: 1h                      # default\n"
          "log:\n"
          "  access: stdout                  # default\n"
          "  format: json                    # default\n"
          "  level: info                     # default\n"
          "  slow: 1s                        # default\n");
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
}

TEST_CASE("a long value does not push the comments away, and a hostile file name stays in its comment") {
    Sources all = sources(std::string(kSmallest) + "log: {access: /" + std::string(200, 'a') + "}\n");
    all.file_name = "a\nlisten: b";
    const Loaded loaded = load_well(all);
    const std::string report = effective_config(loaded);
    CHECK(report.find("workers: 1                        # default\n") != std::string::npos);
    CHECK(report.find("# a\\x0alisten: b:1\n") != std::string::npos);
    check_reload(loaded);
}
