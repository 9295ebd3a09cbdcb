// What an operator sees for each mistake, to the character.
#include <algorithm>
#include <utility>

#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

struct Case {
    const char* text;  ///< below the smallest configuration
    const char* shown;
};

constexpr Case kCases[] = {
    {"tiemout: 30s\n",
     "weir.yaml:3:1: error: unknown key `tiemout`\n"
     "    3 | tiemout: 30s\n"
     "      | ^\n"
     "      = did you mean `timeout`?\n"},
    {"timeout: {totl: 30s}\n",
     "weir.yaml:3:11: error: unknown key `timeout.totl`\n"
     "    3 | timeout: {totl: 30s}\n"
     "      |           ^\n"
     "      = did you mean `timeout.total`?\n"},
    {"max_connections: 5\n",
     "weir.yaml:3:1: error: unknown key `max_connections`\n"
     "    3 | max_connections: 5\n"
     "      | ^\n"
     "      = `max_connections` exists as `clients.max_connections`\n"},
    {"limits:\n  colour: red\n",
     "weir.yaml:4:3: error: unknown key `limits.colour`\n"
     "    4 |   colour: red\n"
     "      |   ^\n"
     "      = known here: mode, rate, concurrency, queue, per_client_concurrency, body, keys, header, "
     "headers, "
     "uri, min_rate, memory\n"},
    {"timeout: 30\n",
     "weir.yaml:3:10: error: `timeout.total`: `30` has no unit\n"
     "    3 | timeout: 30\n"
     "      |          ^\n"
     "      = did you mean `30s`? (units: ms, s, m, h, d); allowed: 1ms to 24h\n"},
    {"admin: off\n",
     "weir.yaml:3:8: error: `admin.address`: `off` is not an address: the port is missing: write off:8080\n"
     "    3 | admin: off\n"
     "      |        ^\n"
     "      = did you mean `~`?\n"},
    {"health: none\n",
     "weir.yaml:3:9: error: `health.path`: `none` does not begin with a slash\n"
     "    3 | health: none\n"
     "      |         ^\n"
     "      = did you mean `~`?\n"},
    {"limits: {concurrency: unlimited}\n",
     "weir.yaml:3:23: error: `limits.concurrency`: `unlimited` is not a whole number\n"
     "    3 | limits: {concurrency: unlimited}\n"
     "      |                       ^\n"
     "      = did you mean `~`?\n"},
    {"limits:\n  body: 2TiB\n",
     "weir.yaml:4:9: error: `limits.body`: `2TiB` is out of range\n"
     "    4 |   body: 2TiB\n"
     "      |         ^\n"
     "      = allowed: 0B to 1TiB\n"},
    {"limits: {headers: many}\n",
     "weir.yaml:3:19: error: `limits.headers`: `many` is not a whole number\n"
     "    3 | limits: {headers: many}\n"
     "      |                   ^\n"
     "      = write decimal digits alone, as in `100`; allowed: 1 to 1000\n"},
    {"limits: [1]\n",
     "weir.yaml:3:9: error: `limits` takes a map of keys, not a list\n"
     "    3 | limits: [1]\n"
     "      |         ^\n"
     "      = known here: mode, rate, concurrency, queue, per_client_concurrency, body, keys, header, "
     "headers, "
     "uri, min_rate, memory\n"},
    {"drain: {a: 1}\n",
     "weir.yaml:3:8: error: `drain` takes a duration, as in `30s`, not a map\n"
     "    3 | drain: {a: 1}\n"
     "      |        ^\n"
     "      = allowed: 0s to 24h\n"},
    {"drain:\n",
     "weir.yaml:3:1: error: `drain` has no value, and takes a duration, as in `30s`\n"
     "    3 | drain:\n"
     "      | ^\n"
     "      = remove the line for the default, `30s`\n"},
    {"drain:5s\n",
     "weir.yaml:3:1: error: unknown key `drain:5s`\n"
     "    3 | drain:5s\n"
     "      | ^\n"
     "      = did you mean `drain: 5s`?\n"},
    {"drain: 5s\ndrain: 6s\n",
     "weir.yaml:4:1: error: `drain` is given twice\n"
     "    4 | drain: 6s\n"
     "      | ^\n"
     "      = the first one is on line 3, column 1\n"},
    {"log: {format: jsn}\n",
     "weir.yaml:3:15: error: `log.format`: `jsn` is not one of json, combined\n"
     "    3 | log: {format: jsn}\n"
     "      |               ^\n"
     "      = did you mean `json`?\n"},
    {"log: {access: stdot}\n",
     "weir.yaml:3:15: error: `log.access`: `stdot` is not a path or one of stdout, stderr, off\n"
     "    3 | log: {access: stdot}\n"
     "      |               ^\n"
     "      = did you mean `stdout`?; a path holds a `/`\n"},
    {"drain: ${WAIT}\n",
     "weir.yaml:3:8: error: the variable `WAIT` is not set\n"
     "    3 | drain: ${WAIT}\n"
     "      |        ^\n"
     "      = set it, or give a default: `${WAIT:-default}`\n"},
    {"limits: {min_rate: 5B}\n",
     "weir.yaml:3:20: error: `limits.min_rate`: `5B` is not a rate\n"
     "    3 | limits: {min_rate: 5B}\n"
     "      |                    ^\n"
     "      = did you mean `5B/s`? (units: B/s, KB/s, KiB/s, MB/s, MiB/s, GB/s, GiB/s); allowed: 1B/s to "
     "1GiB/s\n"},
};

/// The message for one server, without its position.
std::string server_message(const std::string& url) {
    const auto found = mistakes_in(sources("listen: :80\nupstream: \"" + url + "\"\n"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 2);
    CHECK(found[0].column == 11);
    return found[0].message + " | " + found[0].hint;
}

}  // namespace

TEST_CASE("each mistake is shown where it is, with the way out") {
    for (const Case& one : kCases) {
        CHECK(rendered(mistakes_in(std::string(one.text))) == one.shown);
    }
}

TEST_CASE("a mistake in a list is shown at its element") {
    const auto found = mistakes_in(
        sources("listen:\n  - :80\n  - {address: :81, mode: 0888}\n  - [x]\n  - ~\n  - {mode: 0600}\n"
                "upstream: [http://a, ~, a:5]\n"));
    CHECK(rendered(found) ==
          "weir.yaml:3:26: error: `listen[1].mode`: `0888` is not a file mode\n"
          "    3 |   - {address: :81, mode: 0888}\n"
          "      |                          ^\n"
          "      = write octal digits, as in `0660`; allowed: 0 to 0777\n"
          "weir.yaml:4:5: error: `listen[2]` is a list within the list\n"
          "    4 |   - [x]\n"
          "      |     ^\n"
          "weir.yaml:5:5: error: `listen[3]` takes a map of keys, not nothing\n"
          "    5 |   - ~\n"
          "      |     ^\n"
          "      = known here: address, mode, http2, proxy_protocol, redirect_https, tls\n"
          "weir.yaml:6:5: error: `listen[4]` has no `address`\n"
          "    6 |   - {mode: 0600}\n"
          "      |     ^\n"
          "      = it takes an address, as in `0.0.0.0:8080` or `unix:/run/weir.sock`\n"
          "weir.yaml:7:22: error: `upstream.servers[1]` takes a map of keys, not nothing\n"
          "    7 | upstream: [http://a, ~, a:5]\n"
          "      |                      ^\n"
          "      = known here: url, weight, max_in_flight, slow_start\n"
          "weir.yaml:7:25: error: `upstream.servers[2].url`: `a:5` has no scheme\n"
          "    7 | upstream: [http://a, ~, a:5]\n"
          "      |                         ^\n"
          "      = did you mean `http://a:5`?\n");
}

TEST_CASE("mistakes in variables and flags are shown as they were written") {
    Sources all = sources(kSmallest, {{"WEIR_LIMITS_BODY", "10"}});
    all.flags = {{"timeout.totl", "5s", "--set timeout.totl=5s"},
                 {"listen", "80", "--listen"},
                 {"listen.mode", "0600", "--set=listen.mode=0600"},
                 {"timeout", "{total: 5s, stall: 1}", "--set timeout={total: 5s, stall: 1}"},
                 {"body", "1MiB", "--set body=1MiB"},
                 {"drain", "[", "--set"}};
    CHECK(rendered(mistakes_in(all)) ==
          "environment: error: `limits.body`: `10` has no unit\n"
          "      | WEIR_LIMITS_BODY=10\n"
          "      |                  ^\n"
          "      = did you mean `10B`? (units: B, KB, KiB, MB, MiB, GB, GiB, TB, TiB); allowed: 0B to 1TiB\n"
          "--set: error: unknown key `timeout.totl`\n"
          "      | --set timeout.totl=5s\n"
          "      = did you mean `timeout.total`?\n"
          "--listen: error: `listen.address`: `80` is not an address: a port alone needs a colon: write :80\n"
          "      | --listen 80\n"
          "      |          ^\n"
          "--set: error: unknown key `listen.mode`\n"
          "      | --set=listen.mode=0600\n"
          "      = a list is set as a whole: `--set 'listen=[{mode: ...}]'`\n"
          "--set: error: `timeout.stall`: `1` has no unit\n"
          "      | --set timeout={total: 5s, stall: 1}\n"
          "      |                                  ^\n"
          "      = did you mean `1s`? (units: ms, s, m, h, d); allowed: 1ms to 24h, or ~\n"
          "--set: error: unknown key `body`\n"
          "      | --set body=1MiB\n"
          "      = `body` exists as `limits.body` and `errors.body` and `health.expect.body`\n"
          "--set: error: `drain`: `[` is not a duration\n"
          "      | --set drain=[\n"
          "      |             ^\n"
          "      = write a whole number and its unit (units: ms, s, m, h, d); allowed: 0s to 24h\n");
}

TEST_CASE("a flag that reaches into a list is told how to set the list, however it counts") {
    const auto hint_for = [](const char* path) {
        Sources all = sources(kSmallest);
        all.flags = {{path, "x", "--set"}};
        return mistakes_in(all).front().hint;
    };
    const std::string certificate =
        "a list is set as a whole: `--set 'listen=[{tls: [{certificate: ...}]}]'`";
    CHECK(hint_for("listen.tls.certificate") == certificate);
    CHECK(hint_for("listen.0.tls.0.certificate") == certificate);
    CHECK(hint_for("listen[0].tls[12].certificate") == certificate);
    CHECK(hint_for("upstream.servers.1.weight") ==
          "a list is set as a whole: `--set 'upstream.servers=[{weight: ...}]'`");
    CHECK(hint_for("upstream.servers.0") == "did you mean `upstream.servers`?");
    CHECK(!hint_for("..0.[").empty());
}

TEST_CASE("each wrong server says what is wrong with it") {
    CHECK(server_message("https://a:1/x") ==
          "`upstream.servers.url`: `https://a:1/x` has a path, and paths are not rewritten: a request keeps "
          "its "
          "own | did you mean `https://a:1`?");
    CHECK(server_message("http://a:1/x").find("has a path, and paths are not rewritten") !=
          std::string::npos);
    CHECK(server_message("http://a:1/x").ends_with("did you mean `http://a:1`?"));
    CHECK(server_message("http://a?q").find("has a path") != std::string::npos);
    CHECK(
        server_message("127.0.0.1:5000").ends_with("has no scheme | did you mean `http://127.0.0.1:5000`?"));
    CHECK(
        server_message("localhost:5000").ends_with("has no scheme | did you mean `http://localhost:5000`?"));
    CHECK(server_message("5000").ends_with("has no scheme | did you mean `http://127.0.0.1:5000`?"));
    CHECK(server_message(":5000").ends_with("has no scheme | did you mean `http://127.0.0.1:5000`?"));
    CHECK(server_message("/run/a.sock").ends_with("has no scheme | did you mean `unix:/run/a.sock`?"));
    CHECK(server_message("what is this")
              .ends_with("has no scheme | write `http://host:port`, `https://host:port` or `unix:/path`"));
    CHECK(server_message("unix:///run/a").ends_with("did you mean `unix:/run/a`?"));
    CHECK(server_message("ftp://a").find("has an unknown scheme") != std::string::npos);
    CHECK(server_message("https+unix://a").find("has an unknown scheme") != std::string::npos);
    CHECK(server_message("https://").find("names no host") != std::string::npos);
    CHECK(server_message("http://").find("names no host") != std::string::npos);
    CHECK(server_message("http://:80").find("names no host") != std::string::npos);
    CHECK(server_message("http://u:p@a").find("has a user in front of the host") != std::string::npos);
    CHECK(server_message("http://a:0").find("has the port 0") != std::string::npos);
    CHECK(server_message("http://a:65536").find("is not a URL") != std::string::npos);
    CHECK(server_message("http://a b").find("is not a URL") != std::string::npos);
    CHECK(server_message("").find("has no scheme") != std::string::npos);
}

TEST_CASE("other values are checked for what they are") {
    const auto message = [](const std::string& more) { return mistakes_in(more).at(0).message; };
    CHECK(message("log: {access: weir.log}\n").find("is not a path") != std::string::npos);
    CHECK(message("log: {access: /var/log/}\n") == "`log.access`: `/var/log/` is a directory");
    CHECK(message("log: {access: \"/a\\x01\"}\n").find("holds a control or invisible character") !=
          std::string::npos);
    CHECK(message("log: {access: \"${X}\"}\n") == "the variable `X` is not set");
    CHECK(mistakes_in("log: {access: ${X}}\n").at(0).hint ==
          "a value with `${NAME}` must be quoted inside `{}` or `[]`");
    CHECK(mistakes_in("log: {access: \"${X}\"}\n", {{"X", "/\xff"}}).at(0).message.find("not UTF-8") !=
          std::string::npos);
    const auto host = [](const std::string& value) {
        return mistakes_in(sources("listen: :80\nupstream: {servers: http://a, host: " + value + "}\n"))
            .at(0)
            .message;
    };
    CHECK(host("http://b") == "`upstream.host`: `http://b` is a URL, not a host");
    CHECK(host("a b") == "`upstream.host`: `a b` is not a host");
    CHECK(host("\"\"") == "`upstream.host`: `` is not a host");
    CHECK(host("\"a\\r\\nX: y\"").find("control") != std::string::npos);
    CHECK(mistakes_in(sources("listen: 0.0.0.0\nupstream: http://a\n"))
              .at(0)
              .message.starts_with("`listen.address`: `0.0.0.0` is not an address: "));
}

TEST_CASE("a file that is no map says so") {
    CHECK(mistakes_in(sources("- a\n")).at(0).message == "the file is a list, not a map of keys");
    CHECK(mistakes_in(sources("listen:80\n")).at(0).message ==
          "the file is a single value, not a map of keys");
}

TEST_CASE("all mistakes come at once, in the order of the file, each once") {
    const auto found = mistakes_in(
        "drain: 5\nnope: 1\ndrain: &a 6\nlimits: {uri: 512KiB, header: \"${X}\"}\ntimeout: {stall: 1, stall: "
        "1}\n");
    REQUIRE(found.size() == 10);
    for (size_t i = 1; i < found.size(); ++i) {
        CHECK(std::pair(found[i - 1].line, found[i - 1].column) <= std::pair(found[i].line, found[i].column));
    }
    const auto same = [](const Diagnostic& a, const Diagnostic& b) {
        return a.line == b.line && a.column == b.column && a.message == b.message;
    };
    CHECK(std::adjacent_find(found.begin(), found.end(), same) == found.end());
}

TEST_CASE("the same wrong flag given twice is one mistake") {
    Sources all = sources(kSmallest);
    all.flags = {
        {"drain", "5", "--set drain=5"}, {"nope", "1", "--set nope=1"}, {"drain", "5", "--set drain=5"}};
    CHECK(mistakes_in(all).size() == 2);
}

TEST_CASE("a thousand mistakes are all reported, each at its line") {
    std::string text;
    for (int i = 0; i < 1'000; ++i) text += "key" + std::to_string(i) + ": 1\n";
    const auto found = mistakes_in(text);
    REQUIRE(found.size() == 1'000);
    for (size_t i = 0; i < found.size(); ++i) {
        REQUIRE(found[i].line == i + 3);
        REQUIRE(found[i].message == "unknown key `key" + std::to_string(i) + "`");
    }
}

TEST_CASE("past two thousand the rest is counted, and what is kept of a line stays small") {
    std::string text = "{";
    for (int i = 0; i < 50'000; ++i) text += "key" + std::to_string(i) + ": 1, ";
    const auto found = mistakes_in(sources(text + "}"));
    REQUIRE(found.size() == 2'001);
    CHECK(found.back().message ==
          "48001 more mistakes are not shown, this is the first of them: unknown key");
    for (const Diagnostic& diagnostic : found) REQUIRE(diagnostic.quoted.size() <= 1'000);
}
