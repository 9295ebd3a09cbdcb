// Clients, limits, routes and what else came with them: where each key goes, and what follows from what is
// not said.
#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;
using namespace std::chrono_literals;

namespace {

const KeyPart kClient{KeyPart::Kind::client, {}};

}  // namespace

TEST_CASE("without a word about them there are no limits, routes or shadows") {
    const Settings settings = load_well(std::string()).settings;
    CHECK(settings.clients.key == Key{{KeyPart::Kind::ip, {}}});
    CHECK(settings.clients.ipv6_prefix_bits == 64);
    CHECK(settings.clients.trusted_proxies.empty());
    CHECK(settings.limits.mode.value == Mode::enforce);
    CHECK(settings.limits.rates.empty());
    CHECK_FALSE(settings.limits.concurrency.has_value());
    CHECK(settings.limits.queue.size.value == 0);
    CHECK(settings.limits.queue.wait.value == 5s);
    CHECK_FALSE(settings.limits.per_client_concurrency.has_value());
    CHECK(settings.limits.keys.value == 100'000);
    CHECK(settings.cors.origins.empty());
    CHECK(settings.cors.methods == std::vector<std::string>{"GET", "HEAD", "POST"});
    CHECK(settings.cors.max_age == 10min);
    CHECK(settings.errors.format == ErrorFormat::problem);
    CHECK(settings.errors.content_type == "text/plain; charset=utf-8");
    CHECK(settings.errors.body.empty());
    CHECK(settings.headers.rate_limit == RateLimitHeaders::draft);
    CHECK(settings.headers.request_start);
    CHECK(settings.headers.deadline);
    CHECK(settings.public_paths.health.empty());
    CHECK(settings.public_paths.queue_stats.empty());
    CHECK(settings.routes.empty());
    CHECK(settings.shadow.empty());
}

TEST_CASE("every key of the limits reaches its own place") {
    const Settings settings = load_well(R"(
clients: {key: [header:X-Key, route], ipv6_prefix: 56, trusted_proxies: [10.0.0.0/8, ::1]}
limits:
  mode: shadow
  rate:
    - 60/min
    - {limit: 10/s, burst: 20, key: all, cost: 2, name: bursts, mode: enforce}
    - {limit: 100/15s, key: [client, cookie:sid]}
  concurrency: 20
  queue: {size: 100, wait: 4s}
  per_client_concurrency: 3
  body: 1MiB
  keys: 5
shadow:
  - {name: tighter, rate: 30/min, key: ip, burst: 5, cost: 2}
  - 20/min
)")
                                  .settings;
    CHECK(settings.clients.key == Key{{KeyPart::Kind::header, "x-key"}, {KeyPart::Kind::route, {}}});
    CHECK(settings.clients.ipv6_prefix_bits == 56);
    REQUIRE(settings.clients.trusted_proxies.size() == 2);
    CHECK(settings.clients.trusted_proxies[0].prefix_bits == 104);
    const Limits& limits = settings.limits;
    CHECK(limits.mode.value == Mode::shadow);
    REQUIRE(limits.rates.size() == 3);
    CHECK(limits.rates[0].quota == Quota{60, 1min});
    CHECK(limits.rates[0].name == "per-min");
    CHECK_FALSE(limits.rates[0].burst.has_value());
    CHECK(limits.rates[0].key == Key{kClient});
    CHECK(limits.rates[0].cost == 1);
    CHECK(limits.rates[0].mode.value == Mode::shadow);
    CHECK_FALSE(limits.rates[0].mode.is_own);
    CHECK(limits.rates[1].quota == Quota{10, 1s});
    CHECK(limits.rates[1].burst == 20);
    CHECK(limits.rates[1].key == Key{{KeyPart::Kind::all, {}}});
    CHECK(limits.rates[1].cost == 2);
    CHECK(limits.rates[1].name == "bursts");
    CHECK(limits.rates[1].mode.value == Mode::enforce);
    CHECK(limits.rates[2].name == "per-15s");
    CHECK(limits.rates[2].key == Key{kClient, {KeyPart::Kind::cookie, "sid"}});
    CHECK(limits.concurrency == 20);
    CHECK(limits.queue.size.value == 100);
    CHECK(limits.queue.wait.value == 4s);
    CHECK(limits.per_client_concurrency == 3);
    CHECK(limits.body_bytes.value == 1 << 20);
    CHECK(limits.keys.value == 5);
    REQUIRE(settings.shadow.size() == 2);
    CHECK(settings.shadow[0].name == "tighter");
    CHECK(settings.shadow[0].quota == Quota{30, 1min});
    CHECK(settings.shadow[0].key == Key{{KeyPart::Kind::ip, {}}});
    CHECK(settings.shadow[0].burst == 5);
    CHECK(settings.shadow[0].cost == 2);
    CHECK(settings.shadow[0].mode.value == Mode::shadow);
    CHECK(settings.shadow[1].name == "shadow-per-min");
    CHECK(settings.shadow[1].key == Key{kClient});
}

TEST_CASE("every key of a route reaches its own place") {
    const Settings settings = load_well(R"(
routes:
  - match:
      path: ["/documents/{id}", "/d/{id}"]
      method: [POST, PUT]
      host: App.Example
      header: {X-Version: "2", X-Beta: ~}
    name: documents
    limits:
      mode: shadow
      rate: [10/min, {limit: 5/s, cost: 2}]
      concurrency: 4
      queue: {size: 20, wait: 10s}
      per_client_concurrency: 2
      group: heavy
      body: 5MiB
      keys: 7
    timeout: 120s
    methods: [POST]
    content_types: [application/json, image/*]
    params:
      path: {id: {int: 1..}}
      query:
        page: {int: 1.., default: 1}
        page_size: {int: 1..100, default: 20, on_violation: clamp}
        sort: {enum: [a, b], required: true}
        q: {len: 1..200}
        x: {number: 0..1}
        free: {}
  - match: {path: "/static/*", method: GET, header: "X-A: b: c"}
    limits: {rate: none}
  - match: {header: X-B}
)")
                                  .settings;
    REQUIRE(settings.routes.size() == 3);
    const Route& route = settings.routes[0];
    REQUIRE(route.match.paths.size() == 2);
    CHECK(route.match.paths[1].text == "/d/{id}");
    CHECK(route.match.methods == std::vector<std::string>{"POST", "PUT"});
    CHECK(route.match.host == "app.example");
    REQUIRE(route.match.headers.size() == 2);
    CHECK(route.match.headers[0].name == "x-version");
    CHECK(route.match.headers[0].value == "2");
    CHECK(route.match.headers[1].name == "x-beta");
    CHECK_FALSE(route.match.headers[1].value.has_value());
    CHECK(route.name == "documents");
    CHECK(route.limits.mode.value == Mode::shadow);
    REQUIRE(route.limits.rates.size() == 2);
    CHECK(route.limits.rates[0].name == "documents-per-min");
    CHECK(route.limits.rates[0].mode.value == Mode::shadow);
    CHECK(route.limits.rates[1].cost == 2);
    CHECK(route.limits.concurrency == 4);
    CHECK(route.limits.queue.size.value == 20);
    CHECK(route.limits.queue.wait.value == 10s);
    CHECK(route.limits.per_client_concurrency == 2);
    CHECK(route.limits.group == "heavy");
    CHECK(route.limits.body_bytes.value == 5 << 20);
    CHECK(route.limits.keys.value == 7);
    CHECK_FALSE(route.limits.is_exempt);
    CHECK(route.timeout_total.value == 2min);
    CHECK(route.methods == std::vector<std::string>{"POST"});
    CHECK(route.content_types == std::vector<std::string>{"application/json", "image/*"});
    REQUIRE(route.params.path.size() == 1);
    CHECK(route.params.path[0].name == "id");
    CHECK(route.params.path[0].integer->low == 1);
    const std::vector<Param>& query = route.params.query;
    REQUIRE(query.size() == 6);
    CHECK(query[0].name == "page");
    CHECK(query[0].fallback == "1");
    CHECK_FALSE(query[0].required);
    CHECK(query[0].on_violation == OnViolation::reject);
    CHECK(query[1].integer->high == 100);
    CHECK(query[1].on_violation == OnViolation::clamp);
    CHECK(query[2].choices == std::vector<std::string>{"a", "b"});
    CHECK(query[2].required);
    CHECK(query[3].length->high == 200);
    CHECK(query[4].number->high == 1.0);
    CHECK(query[5].name == "free");
    CHECK_FALSE(query[5].fallback.has_value());
    CHECK(settings.routes[1].limits.is_exempt);
    CHECK(settings.routes[1].limits.rates.empty());
    CHECK(settings.routes[1].match.headers[0].name == "x-a");
    CHECK(settings.routes[1].match.headers[0].value == "b: c");
    CHECK(settings.routes[2].match.headers[0].name == "x-b");
    CHECK_FALSE(settings.routes[2].match.headers[0].value.has_value());
}

TEST_CASE("every key of the answers reaches its own place") {
    const Settings settings = load_well(R"(
cors:
  origins: [https://a.example, http://localhost:3000]
  methods: [PUT]
  headers: [X-A]
  expose: X-B
  credentials: true
  max_age: 1h
errors: {content_type: text/html, body: "<h1>{status}</h1>"}
headers: {rate_limit: both, request_start: false, deadline: false}
public: {health: /healthz, queue_stats: /queue}
)")
                                  .settings;
    CHECK(settings.cors.origins == std::vector<std::string>{"https://a.example", "http://localhost:3000"});
    CHECK(settings.cors.methods == std::vector<std::string>{"PUT"});
    CHECK(settings.cors.headers == std::vector<std::string>{"x-a"});
    CHECK(settings.cors.expose == std::vector<std::string>{"x-b"});
    CHECK(settings.cors.credentials);
    CHECK(settings.cors.max_age == 1h);
    CHECK(settings.errors.format == ErrorFormat::body);
    CHECK(settings.errors.content_type == "text/html");
    CHECK(settings.errors.body.size() == 3);
    CHECK(settings.headers.rate_limit == RateLimitHeaders::both);
    CHECK_FALSE(settings.headers.request_start);
    CHECK_FALSE(settings.headers.deadline);
    CHECK(settings.public_paths.health == "/healthz");
    CHECK(settings.public_paths.queue_stats == "/queue");
}

TEST_CASE("what a route does not say it inherits, from wherever that was set") {
    const std::string routes =
        "routes:\n  - {match: {path: /a}, limits: {concurrency: 2, rate: 5/s}}\n  - {match: {path: /b}}\n";
    const Settings settings =
        load_well(routes + "limits: {concurrency: 9, queue: {size: 8}}\n", {{"WEIR_LIMITS_MODE", "shadow"},
                                                                            {"WEIR_LIMITS_QUEUE_WAIT", "3s"},
                                                                            {"WEIR_TIMEOUT", "7s"},
                                                                            {"WEIR_LIMITS_BODY", "3B"},
                                                                            {"WEIR_LIMITS_KEYS", "77"}})
            .settings;
    const RouteLimits& own = settings.routes[0].limits;
    CHECK(own.mode.value == Mode::shadow);
    CHECK(own.rates[0].mode.value == Mode::shadow);
    CHECK(own.queue.size.value == 8);
    CHECK(own.queue.wait.value == 3s);
    CHECK(own.body_bytes.value == 3);
    CHECK(own.keys.value == 77);
    CHECK(settings.routes[0].timeout_total.value == 7s);
    CHECK(settings.routes[1].limits.queue.size.value == 0);
    CHECK_FALSE(settings.routes[1].limits.concurrency.has_value());
    CHECK(settings.routes[1].limits.queue.wait.value == 3s);
}

TEST_CASE("the routes of a group share what one of them says") {
    const Settings settings = load_well(R"(
limits: {concurrency: 50, queue: {size: 9}}
routes:
  - {match: {path: /a}, limits: {group: g}}
  - {match: {path: /b}, limits: {group: g, concurrency: 4, queue: {size: 2}, per_client_concurrency: 3}}
  - {match: {path: /c}, limits: {group: h, concurrency: 1}}
)")
                                  .settings;
    for (size_t i = 0; i < 2; ++i) {
        CHECK(settings.routes[i].limits.concurrency == 4);
        CHECK(settings.routes[i].limits.queue.size.value == 2);
        CHECK(settings.routes[i].limits.per_client_concurrency == 3);
    }
    CHECK(settings.routes[2].limits.concurrency == 1);
    CHECK(settings.routes[2].limits.queue.size.value == 9);
    CHECK_FALSE(settings.routes[2].limits.per_client_concurrency.has_value());
}

TEST_CASE("a route without a name is called after its first path, and never like another") {
    const Settings settings = load_well(R"(
routes:
  - match: {path: "/API/v1.0/{id}/x_y"}
  - match: {path: "/a/*", method: POST}
  - {match: {path: /x}, name: a-2}
  - match: {path: "/a/*", method: GET}
  - match: {path: /}
  - match: {host: b}
)")
                                  .settings;
    std::vector<std::string> names;
    for (const Route& route : settings.routes) names.push_back(route.name);
    CHECK(names == std::vector<std::string>{"api-v1-0-id-x_y", "a", "a-2", "a-3", "root", "route-6"});
}

TEST_CASE("short forms: one rate, one route, one shadow, one origin") {
    CHECK(load_well("limits: {rate: 60/min}\n").settings.limits.rates.size() == 1);
    CHECK(load_well("limits: {rate: {limit: 60/min}}\n").settings.limits.rates[0].name == "per-min");
    CHECK(load_well("routes: {match: {path: /a}}\n").settings.routes.size() == 1);
    CHECK(load_well("shadow: 5/s\n").settings.shadow[0].name == "shadow-per-sec");
    CHECK(load_well("cors: https://a.example\n").settings.cors.origins.size() == 1);
    CHECK(load_well("", {{"WEIR_LIMITS_RATE", "[60/min, 1000/hour]"}}).settings.limits.rates.size() == 2);
    CHECK(load_well("", {{"WEIR_CLIENTS_KEY", "header:X-A"}}).settings.clients.key.size() == 1);
}

TEST_CASE("nothing, spelt out, is nothing") {
    const std::string text =
        "limits: {rate: [], concurrency: ~, per_client_concurrency: ~}\ncors: ~\nroutes: []\nshadow: ~\n"
        "public: ~\nclients: {trusted_proxies: ~}\nerrors: ~\n";
    CHECK(load_well(text).warnings.empty());
    const Settings settings =
        load_well(
            "routes: [{match: {path: /a, method: ~, host: ~, header: ~}, name: ~, timeout: ~, methods: ~, "
            "content_types: ~, params: {query: {a: {enum: ~, int: ~}}, path: ~}, limits: {rate: [], mode: "
            "~}}]\n")
            .settings;
    CHECK(settings.routes[0].timeout_total.value == 30s);
    CHECK(settings.routes[0].limits.mode.value == Mode::enforce);
}

TEST_CASE("a later source turns cors off as a whole") {
    Sources all =
        sources(std::string(kSmallest) + "cors: {origins: https://a.example, methods: PUT, max_age: 1h}\n");
    all.flags = {{"cors", "~", "--set cors=~"}};
    const Loaded loaded = load_well(all);
    CHECK(loaded.settings.cors.origins.empty());
    CHECK(loaded.settings.cors.methods.size() == 3);
    CHECK(loaded.settings.cors.max_age == 10min);
    CHECK(origin_of(loaded, "cors.max_age") == "default");
}

TEST_CASE("a later list of routes replaces the earlier one as a whole") {
    Sources all = sources(std::string(kSmallest) +
                          "routes: [{match: {path: /a}, limits: {rate: 1/s}}, {match: {path: /b}}]\n");
    all.flags = {{"routes", "[{match: {path: /c}}]", "--set routes=[{match: {path: /c}}]"}};
    const Loaded loaded = load_well(all);
    REQUIRE(loaded.settings.routes.size() == 1);
    CHECK(loaded.settings.routes[0].name == "c");
    CHECK(loaded.settings.routes[0].limits.rates.empty());
}

TEST_CASE("a thousand routes load, one more does not") {
    std::string text = "routes:\n";
    for (int i = 0; i < 1'000; ++i) text += "  - match: {path: /r" + std::to_string(i) + "}\n";
    CHECK(load_well(text).settings.routes.size() == 1'000);
    const auto found = mistakes_in(text + "  - match: {path: /x}\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == 1'004);
    CHECK(found[0].column == 5);
    CHECK(found[0].message == "`routes` has 1001 elements");
    CHECK(found[0].hint == "allowed: 0 to 1000");
}

TEST_CASE("rules and parameters are bounded in number") {
    const auto rates = [](int count) {
        std::string text = "limits: {rate: [";
        for (int i = 0; i < count; ++i) text += "{limit: 5/s, name: r" + std::to_string(i) + "}, ";
        return text + "]}\n";
    };
    CHECK(load_well(rates(16)).settings.limits.rates.size() == 16);
    CHECK(said_of(rates(17)).ends_with("error: `limits.rate` has 17 elements\n"));
    const auto params = [](int count) {
        std::string text = "routes: [{match: {path: /}, params: {query: {";
        for (int i = 0; i < count; ++i) text += "p" + std::to_string(i) + ": {int: 1..}, ";
        return text + "}}}]\n";
    };
    CHECK(load_well(params(64)).settings.routes[0].params.query.size() == 64);
    CHECK(said_of(params(65)).ends_with("error: `routes[0].params.query` has 65 elements\n"));
}
