#include "config/cross_check.h"

#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

bool loops(std::string_view upstream, std::string_view listen) {
    return reaches(*parse_endpoint(upstream), *parse_endpoint(listen));
}

std::vector<Diagnostic> warnings_of(const std::string& more, const Variables& variables = {}) {
    return load_well(more, variables).warnings;
}

}  // namespace

TEST_CASE("a server that is one of weir's own listeners is recognised, however it is spelt") {
    CHECK(loops("127.0.0.1:80", "127.0.0.1:80"));
    CHECK(loops("127.0.0.1:80", ":80"));
    CHECK(loops("127.0.0.1:80", "0.0.0.0:80"));
    CHECK(loops("127.0.0.9:80", "0.0.0.0:80"));
    CHECK(loops("127.0.0.1:80", "[::]:80"));
    CHECK(loops("127.0.0.1:80", "localhost:80"));
    CHECK(loops("localhost:80", "127.0.0.1:80"));
    CHECK(loops("LOCALHOST:80", "[::1]:80"));
    CHECK(loops("[::1]:80", "[::]:80"));
    CHECK(loops("[0:0:0:0:0:0:0:1]:80", "[::1]:80"));
    CHECK(loops("[::ffff:127.0.0.1]:80", "127.0.0.1:80"));
    CHECK(loops("0.0.0.0:80", "127.0.0.1:80"));
    CHECK(loops("[::]:80", ":80"));
    CHECK(loops("App.example:80", "app.EXAMPLE:80"));
    CHECK(loops("unix:/run/a", "unix:/run/a"));

    CHECK_FALSE(loops("127.0.0.1:80", "127.0.0.1:81"));
    CHECK_FALSE(loops("127.0.0.1:80", "127.0.0.2:80"));
    CHECK_FALSE(loops("10.0.0.1:80", "0.0.0.0:80"));
    CHECK_FALSE(loops("app:80", ":80"));
    CHECK_FALSE(loops("[::1]:80", "127.0.0.1:80"));
    CHECK_FALSE(loops("127.example:80", ":80"));
    CHECK_FALSE(loops("unix:/run/a", "unix:/run/b"));
    CHECK_FALSE(loops("unix:/run/a", ":80"));
    CHECK_FALSE(loops("127.0.0.1:80", "unix:/run/a"));
    CHECK_FALSE(loops("127.0.0.1:80", "127.0.0.1:0"));
    CHECK_FALSE(loops("127.0.0.1:0", "127.0.0.1:0"));
}

TEST_CASE("a loop is an error at the server that makes it, not at the list") {
    const auto found = mistakes_in(
        sources("listen: [:80, :81]\nupstream:\n  servers:\n    - http://a\n    - http://localhost:81\n"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 5);
    CHECK(found[0].column == 7);
    CHECK(found[0].message ==
          "`localhost:81` is weir's own listener `:81`: requests would go round in a loop");
}

TEST_CASE("an address to listen on may be given once") {
    const auto found = mistakes_in(sources("listen: [:80, :81, :80]\nupstream: http://a\n"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].column == 20);
    CHECK(found[0].message == "`listen[2]`: `:80` is given twice");
    CHECK(load(sources("listen: [127.0.0.1:0, 127.0.0.1:0]\nupstream: http://a\n")).has_value());
}

TEST_CASE("what is missing is named once, with the smallest configuration") {
    const auto both = mistakes_in(sources(""));
    REQUIRE(both.size() == 1);
    CHECK(both[0].line == 0);
    CHECK(both[0].message == "`listen` and `upstream` are missing");
    CHECK(both[0].hint ==
          "the smallest configuration is\n  listen: 0.0.0.0:8080\n  upstream: http://127.0.0.1:5000");
    CHECK(mistakes_in(sources("listen: :80\n"))[0].message ==
          "`upstream` is missing: weir has no app to pass requests to");
    CHECK(mistakes_in(sources("listen: :80\nupstream: {balance: round_robin}\n")).size() == 1);
    CHECK(mistakes_in(sources("upstream: http://a\n"))[0].message ==
          "`listen` is missing: weir has no address to listen on");
}

TEST_CASE("a key that is misspelt or wrong is not missing as well") {
    CHECK(mistakes_in(sources("lisen: :80\nupstraem: http://a\n")).size() == 2);
    CHECK(mistakes_in(sources("listen: 80\nupstream: a\n")).size() == 2);
    CHECK(mistakes_in(sources("listen: []\nupstream: {server: http://a}\n")).size() == 2);
    CHECK(mistakes_in(sources("listen: [{adress: :80}]\nupstream: ${NONE}\n")).size() == 2);
}

TEST_CASE("values that contradict each other are errors at the one that was set") {
    const auto pool = mistakes_in("upstream.pool: x\n");
    CHECK(pool.size() == 1);
    auto found =
        mistakes_in(sources("listen: :80\nupstream:\n  servers: http://a\n  pool: {min_idle: 65}\n"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 4);
    CHECK(found[0].column == 10);
    CHECK(found[0].message == "`upstream.pool.min_idle` (65) is above `upstream.pool.max_idle` (64)");
    found = mistakes_in("limits: {header: 4KiB}\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].column == 10);
    CHECK(found[0].message == "`limits.uri` (8KiB) is above `limits.header` (4KiB), which counts it in");
    CHECK(found[0].hint == "set `limits.uri` to at most 4KiB");
    CHECK(load(sources(std::string(kSmallest) + "limits: {header: 4KiB, uri: 4KiB}\n")).has_value());
}

TEST_CASE("values that are never reached are warnings, where the operator set them") {
    CHECK(warnings_of("timeout: 1s\n").empty());
    auto found = warnings_of("timeout: {total: 5s, connect: 6s, stall: 7s}\n");
    REQUIRE(found.size() == 2);
    CHECK(found[0].severity == Severity::warning);
    CHECK(found[0].message == "`timeout.connect` (6s) is above `timeout.total` (5s) and never reached");
    CHECK(found[0].line == 3);
    CHECK(found[0].column == 22);
    CHECK(found[1].message == "`timeout.stall` (7s) is above `timeout.total` (5s) and never reached");
    CHECK(warnings_of("timeout: {total: 5s, connect: 5s, stall: 5s}\n").empty());
    CHECK(warnings_of("clients: {max_connections: 5, max_connections_per_ip: 6}\n").size() == 1);
    CHECK(warnings_of("clients: {max_connections: 5}\n").empty());
    CHECK(warnings_of("limits: {header: 64KiB}\n").empty());
    CHECK(warnings_of("limits: {header: 65KiB}\n").size() == 1);
    CHECK(warnings_of("limits: {memory: 1MiB}\n").empty());
    CHECK(warnings_of("limits: {memory: 1MiB}\nbuffers: {request: 2MiB, response: 3MiB}\n").size() == 2);
}

TEST_CASE("a warning about a variable names it") {
    const auto found = warnings_of("timeout: 5s\n", {{"WEIR_TIMEOUT_STALL", "6s"}});
    REQUIRE(found.size() == 1);
    CHECK(render(found[0]) ==
          "environment: warning: `timeout.stall` (6s) is above `timeout.total` (5s) and never reached\n"
          "      | WEIR_TIMEOUT_STALL=6s\n"
          "      |                    ^\n");
}

TEST_CASE("nothing follows from a value that was wrong itself") {
    CHECK(mistakes_in("timeout: {total: 5, stall: 7s}\n").size() == 1);
    CHECK(mistakes_in("limits: {header: 4, uri: 256KiB}\n").size() == 1);
}
