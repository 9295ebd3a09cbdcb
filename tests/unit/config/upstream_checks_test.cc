#include "config/upstream_checks.h"

#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

/// What is said of the keys of `upstream` and of what follows: the text begins on line 3.
std::string said_of_upstream(const std::string& upstream, const std::string& more = {}) {
    auto result = load(sources("listen: :80\nupstream:\n" + upstream + more));
    std::string text;
    for (const Diagnostic& one : result ? result->warnings : result.error()) {
        text += std::to_string(one.line) + ":" + std::to_string(one.column) +
                (one.severity == Severity::error ? " error: " : " warning: ") + one.message + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("a check that may take longer than the interval is a warning, at the key that was set") {
    CHECK(
        said_of("health: {path: /up, timeout: 6s}\n") ==
        "3:21 warning: `health.timeout` (6s) is above `health.interval` (5s): a check that hangs delays the "
        "next\n");
    CHECK(
        said_of("health: {path: /up, interval: 1s}\n") ==
        "3:21 warning: `health.timeout` (2s) is above `health.interval` (1s): a check that hangs delays the "
        "next\n");
    CHECK(said_of("health: {path: /up, interval: 2s}\n").empty());
    CHECK(said_of("health: {path: /up, interval: 1, timeout: 6s}\n").find("hangs") == std::string::npos);
}

TEST_CASE("the longest ejection is not below the first") {
    CHECK(said_of("health: {passive: {max_eject: 9s}}\n") ==
          "3:20 error: `health.passive.max_eject` (9s) is below `health.passive.eject` (10s)\n");
    CHECK(said_of("health: {passive: {eject: 11m}}\n") ==
          "3:20 error: `health.passive.max_eject` (10m) is below `health.passive.eject` (11m)\n");
    CHECK(said_of("health: {passive: {eject: 10m}}\n").empty());
}

TEST_CASE("keys that nothing asks for are warnings") {
    CHECK(said_of("health: {interval: 3s, expect: {status: 200}}\n") ==
          "3:10 warning: `health.interval` has no effect: `health.path` is not set\n"
          "3:33 warning: `health.expect.status` has no effect: `health.path` is not set\n");
    CHECK(said_of("health: {passive: {failures: off, eject: 3s}}\n") ==
          "3:35 warning: `health.passive.eject` has no effect: `health.passive.failures` is off\n");
    CHECK(said_of("health: {passive: {eject: 3s}}\n").empty());
    CHECK(said_of("health: {path: up, interval: 3s}\n").find("no effect") == std::string::npos);
    CHECK(said_of_upstream("  servers: http://a\n  tls: {ca: a.pem}\n") ==
          "4:9 warning: `upstream.tls.ca` has no effect: no server has https://\n");
    CHECK(said_of_upstream("  servers: [http://a, https://b]\n  tls: {ca: a.pem, server_name: c}\n").empty());
}

TEST_CASE("an app that proves nothing is a warning") {
    CHECK(said_of_upstream("  servers: https://a\n  tls: {verify: false}\n") ==
          "4:9 warning: `upstream.tls.verify` is false: whoever is between weir and the app can read and "
          "change "
          "everything\n");
    CHECK(said_of_upstream("  servers: https://a\n  tls: {verify: false, ca: a.pem}\n")
              .ends_with("4:24 warning: `upstream.tls.ca` has no effect: nothing is verified\n"));
}

TEST_CASE("a hold beyond the total is never reached, and a default is no mistake") {
    CHECK(said_of_upstream("  servers: http://a\n  hold: 6s\n", "timeout: 5s\n") ==
          "4:3 warning: `upstream.hold` (6s) is above `timeout.total` (5s) and never reached\n");
    CHECK(said_of_upstream("  servers: http://a\n  hold: 5s\n", "timeout: 5s\n").empty());
    CHECK(said_of_upstream("  servers: http://a\n", "timeout: 1s\n").empty());
}

TEST_CASE("a server is given once, and the cap is not above the room of all servers") {
    CHECK(said_of_upstream("  servers: [http://a, http://b, http://a:80]\n") ==
          "3:33 warning: `upstream.servers[2]`: `a:80` is given twice\n");
    const std::string two =
        "  servers: [{url: http://a, max_in_flight: 2}, {url: http://b, max_in_flight: 3}]\n";
    CHECK(said_of_upstream(two, "limits: {concurrency: 6}\n") ==
          "4:10 warning: `limits.concurrency` (6) is above what the servers take together (5)\n");
    CHECK(said_of_upstream(two, "limits: {concurrency: 5}\n").empty());
    CHECK(said_of_upstream("  servers: [{url: http://a, max_in_flight: 2}, http://b]\n",
                           "limits: {concurrency: 6}\n")
              .empty());
}

TEST_CASE("wrong values of the app's care say what is allowed") {
    const auto first = [](const std::string& upstream, const std::string& more = {}) {
        const std::string all = said_of_upstream("  servers: http://a\n" + upstream, more);
        return all.substr(0, all.find('\n'));
    };
    CHECK(first("  retry: {budget: 20}\n") == "4:19 error: `upstream.retry.budget`: `20` has no unit");
    CHECK(first("  retry: {budget: 101%}\n") ==
          "4:19 error: `upstream.retry.budget`: `101%` is not a percentage");
    CHECK(first("  retry: {attempts: 0}\n") == "4:21 error: `upstream.retry.attempts`: `0` is out of range");
    CHECK(first("  retry: {attempts: 11}\n") ==
          "4:21 error: `upstream.retry.attempts`: `11` is out of range");
    CHECK(first("  tls: {ca: /etc/}\n") == "4:13 error: `upstream.tls.ca`: `/etc/` is not a file");
    for (const char* name : {"a:443", "https://a", "a b", "\"\"", "\"*\"", "\"unix:/a\"", "\"[::1]\""}) {
        CAPTURE(name);
        CHECK(
            first(std::string("  tls: {server_name: ") + name + "}\n").find("is not a name or an address") !=
            std::string::npos);
    }
    for (const char* name : {"app.example", "10.0.0.1", "\"::1\""}) {
        CAPTURE(name);
        CHECK(first(std::string("  tls: {server_name: ") + name + "}\n").find("error") == std::string::npos);
    }
    CHECK(first("", "health: up\n").find("4:9 error: `health.path`") == 0);
    CHECK(first("", "health: {expect: {status: []}}\n").find("at least one") == std::string::npos);
    CHECK(first("", "health: {expect: 2xx}\n") ==
          "4:18 error: `health.expect.status`: `2xx` is not a status code or a range");
}
