// Mistakes deep inside lists and maps, and contradictions between keys: where each is shown, to the column.
#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

/// A route on line 4; what is given stands on line 5, from column 5.
std::string route(const std::string& more) {
    return "routes:\n  - match: {path: \"/a/{id}\"}\n    " + more + "\n";
}

}  // namespace

TEST_CASE("a mistake deep inside a route is shown with its whole path") {
    CHECK(rendered(mistakes_in(route("limits: {rate: [10/min, {limit: 5/s, brust: 20}]}"))) ==
          "weir.yaml:5:42: error: unknown key `routes[0].limits.rate[1].brust`\n"
          "    5 |     limits: {rate: [10/min, {limit: 5/s, brust: 20}]}\n"
          "      |                                          ^\n"
          "      = did you mean `routes.limits.rate.burst`?\n");
    CHECK(rendered(mistakes_in(route("params: {query: {page: {int: 1, defualt: 2}}}"))) ==
          "weir.yaml:5:34: error: `routes[0].params.query.page.int`: `1` is not a range\n"
          "    5 |     params: {query: {page: {int: 1, defualt: 2}}}\n"
          "      |                                  ^\n"
          "      = did you mean `1..` or `..1`?; allowed: ~\n"
          "weir.yaml:5:37: error: unknown key `routes[0].params.query.page.defualt`\n"
          "    5 |     params: {query: {page: {int: 1, defualt: 2}}}\n"
          "      |                                     ^\n"
          "      = did you mean `routes.params.query.default`?\n");
    CHECK(said_of(route("limts: {}")) == "5:5 error: unknown key `routes[0].limts`\n");
    CHECK(said_of(route("limits: {rate: [60]}")) ==
          "5:21 error: `routes[0].limits.rate[0].limit`: `60` has no window\n");
    CHECK(said_of(route("limits: {rate: 60}")) ==
          "5:20 error: `routes[0].limits.rate.limit`: `60` has no window\n");
    CHECK(said_of(route("limits: {rate: [{burst: 5}]}")) ==
          "5:21 error: `routes[0].limits.rate[0]` has no `limit`\n");
    CHECK(said_of(route("limits: {rate: [[5/s]]}")) ==
          "5:21 error: `routes[0].limits.rate[0]` is a list within the list\n");
    CHECK(said_of(route("limits: {rate: [{limit: 5/s, key: [ip, hedder:A]}]}")) ==
          "5:44 error: `routes[0].limits.rate[0].key[1]`: `hedder:A` is not one of client, ip, route, all, "
          "header:NAME, "
          "cookie:NAME\n");
    CHECK(said_of(route("timeout: {total: 5s}")) ==
          "5:14 error: `routes[0].timeout` takes a duration, as in `30s`, not a map\n");
}

TEST_CASE("maps with names of their own say what they take") {
    CHECK(said_of(route("params: {query: 5}")) ==
          "5:21 error: `routes[0].params.query` takes a map of names, not a single value\n");
    CHECK(said_of(route("params: {query: [a]}")) ==
          "5:21 error: `routes[0].params.query` takes a map of names, not a list\n");
    CHECK(said_of(route("params: {query: {a: 5}}")) ==
          "5:25 error: `routes[0].params.query.a` takes a map of keys, not a single value\n");
    CHECK(said_of("routes: [{match: {header: {\"X Y\": 1}}}]\n") ==
          "3:28 error: `routes[0].match.header.X Y`: `X Y` is not the name of a header field\n");
    CHECK(said_of("routes: [{match: {header: [X-A]}}]\n") ==
          "3:27 error: `routes[0].match.header` takes a map of names, not a list\n");
    CHECK(said_of("routes: [{match: {header: {}}}]\n") ==
          "3:19 error: `routes[0].match.header` has no value\n");
    CHECK(said_of("routes: [{match: {path: []}}]\n") == "3:19 error: `routes[0].match.path` has no value\n");
}

TEST_CASE("other values of the new types are refused where they stand") {
    CHECK(said_of("clients: {key: client}\n") ==
          "3:16 error: `clients.key`: `client` is not one of ip, route, all, header:NAME, cookie:NAME\n");
    CHECK(said_of("clients: {trusted_proxies: [10.0.0.1/8]}\n") ==
          "3:29 error: `clients.trusted_proxies[0]`: `10.0.0.1/8` has bits set behind its prefix\n");
    CHECK(said_of("clients: {ipv6_prefix: 129}\n") ==
          "3:24 error: `clients.ipv6_prefix`: `129` is out of range\n");
    CHECK(said_of("limits: {concurrency: 0, keys: 10000001}\n") ==
          "3:23 error: `limits.concurrency`: `0` is out of range\n3:32 error: `limits.keys`: `10000001` is "
          "out of range\n");
    CHECK(said_of("limits: {rate: none}\n") == "3:16 error: `limits.rate.limit`: `none` is not a rate\n");
    CHECK(said_of("headers: {deadline: yes}\n") ==
          "3:21 error: `headers.deadline`: `yes` is neither true nor false\n");
    CHECK(mistakes_in("headers: {deadline: yes}\n")[0].hint == "did you mean `true`?");
    CHECK(said_of("routes: [{match: {path: a}}]\n") ==
          "3:25 error: `routes[0].match.path`: `a` does not begin with a slash\n");
    CHECK(said_of("routes: [{match: {path: [/a, \"/b*c\"], method: get}}]\n") ==
          "3:30 error: `routes[0].match.path[1]`: `/b*c` has a `*` before its end\n"
          "3:47 error: `routes[0].match.method`: `get` is not a method\n");
    CHECK(said_of("public: {health: \"/a*\"}\n") ==
          "3:18 error: `public.health`: `/a*` is a pattern, not one path\n");
}

TEST_CASE("an unknown placeholder is shown where it stands, in any kind of text") {
    CHECK(said_of("errors: {body: \"a {statos}\"}\n") ==
          "3:19 error: `errors.body`: `{statos}` is not a placeholder\n");
    CHECK(said_of("errors:\n  body: |\n    <p>{status}</p>\n    <p>é {reson}</p>\n") ==
          "6:10 error: `errors.body`: `{reson}` is not a placeholder\n");
    CHECK(said_of("", {{"WEIR_ERRORS_BODY", "a {x}"}}) ==
          "0:20 error: `errors.body`: `{x}` is not a placeholder\n");
}

TEST_CASE("a rule that can admit nothing is an error at what makes it so") {
    CHECK(said_of("limits:\n  rate: [{limit: 60/min, cost: 61}]\n") ==
          "4:26 error: `limits.rate[0].cost` (61) is above the limit (60): no request could ever be "
          "admitted\n");
    CHECK(said_of("limits: {rate: {limit: 60/min, burst: 5, cost: 6}}\n") ==
          "3:42 error: `limits.rate.cost` (6) is above the burst (5): no request could ever be admitted\n");
    CHECK(said_of("limits: {rate: {limit: 60/min, cost: 60}}\n").empty());
    CHECK(said_of("shadow: [{rate: 5/s, cost: 6}]\n") ==
          "3:22 error: `shadow[0].cost` (6) is above the limit (5): no request could ever be admitted\n");
    CHECK(said_of(route("limits: {rate: [{limit: 5/s, cost: 6}]}")) ==
          "5:34 error: `routes[0].limits.rate[0].cost` (6) is above the limit (5): no request could ever be "
          "admitted\n");
}

TEST_CASE("a bucket must fill within the longest window") {
    CHECK(said_of("limits: {rate: {limit: 10/day, burst: 310}}\n").empty());
    const auto found = mistakes_in("limits: {rate: {limit: 10/day, burst: 311}}\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].column == 32);
    CHECK(found[0].message == "`limits.rate.burst` (311) takes longer than 31d to fill at 10/day");
    CHECK(found[0].hint == "allowed: at most 310");
    CHECK(said_of("limits: {rate: {limit: 4294967295/100ms, burst: 4294967295}}\n").empty());
}

TEST_CASE("a longer window that runs out first makes the shorter one idle") {
    CHECK(said_of("limits: {rate: [60/min, 50/hour]}\n") ==
          "3:17 warning: `limits.rate[0]` (60/min) is never reached: `limits.rate[1]` (50/hour) runs out "
          "first\n");
    CHECK(said_of("limits: {rate: [50/hour, 50/min]}\n") ==
          "3:26 warning: `limits.rate[1]` (50/min) is never reached: `limits.rate[0]` (50/hour) runs out "
          "first\n");
    CHECK(said_of(route("limits: {rate: [60/min, 50/hour]}"))
              .starts_with("5:21 warning: `routes[0].limits.rate[0]` (60/min) is"));
    CHECK(said_of("limits: {rate: [60/min, 61/hour]}\n").empty());
    CHECK(said_of("limits: {rate: [60/min, {limit: 50/hour, key: route}]}\n").empty());
    CHECK(said_of("limits: {rate: [60/min, {limit: 50/hour, mode: shadow}]}\n").empty());
    CHECK(said_of("limits: {rate: [{limit: 60/min, mode: off}, 50/hour]}\n").empty());
    CHECK(said_of("limits: {rate: [{limit: 60/min, burst: 2}, 50/hour]}\n").empty());
    CHECK(said_of("limits: {rate: [60/min, {limit: 50/hour, cost: 2}]}\n").empty());
    CHECK(said_of("limits: {rate: 60/min}\n" + route("limits: {rate: 50/hour}")).empty());
}

TEST_CASE("a shadow no tighter than what is enforced is a warning") {
    CHECK(said_of("limits: {rate: 60/min}\nshadow: [30/min, 60/min]\n") ==
          "4:18 error: `shadow[1]` (60/min) has the name `shadow-per-min` of `shadow[0]` (30/min)\n"
          "4:18 warning: `shadow[1]` (60/min) is no tighter than `limits.rate` (60/min), which is enforced: "
          "it would refuse "
          "nothing more\n");
    CHECK(said_of("limits: {rate: [60/min, {limit: 70/min, mode: shadow, name: x}]}\n") ==
          "3:25 warning: `limits.rate[1]` (70/min) is no tighter than `limits.rate[0]` (60/min), which is "
          "enforced: it would "
          "refuse nothing more\n");
    CHECK(said_of("limits: {rate: 60/min}\nshadow: {rate: 90/min, key: all}\n").empty());
    CHECK(said_of("limits: {rate: 60/min, mode: shadow}\nshadow: 90/min\n").empty());
    CHECK(said_of("limits: {rate: 60/min}\nshadow: 30/min\n").empty());
    CHECK(said_of("limits: {rate: {limit: 60/min, burst: 5}}\nshadow: {rate: 60/min, burst: 4}\n").empty());
    CHECK_FALSE(
        said_of("limits: {rate: {limit: 60/min, burst: 5}}\nshadow: {rate: 60/min, burst: 5}\n").empty());
}

TEST_CASE("rules of one scope have names of their own") {
    CHECK(said_of("limits: {rate: [60/min, {limit: 5/min, key: all}]}\n") ==
          "3:25 error: `limits.rate[1]` (5/min) has the name `per-min` of `limits.rate[0]` (60/min)\n");
    CHECK(said_of("limits: {rate: {limit: 60/min, name: x}}\nshadow: {rate: 5/min, name: x}\n") ==
          "4:1 error: `shadow` (5/min) has the name `x` of `limits.rate` (60/min)\n");
    CHECK(said_of("limits: {rate: 60/min}\n" + route("limits: {rate: 6/min}")).empty());
    const std::string own = route("limits: {rate: {limit: 6/min, name: x}}");
    CHECK(said_of("limits: {rate: {limit: 60/min, name: x}}\n" + own)
              .find("(6/min) has the name `x` of `limits.rate` (60/min)\n") != std::string::npos);
    CHECK(said_of("shadow: {rate: 60/min, name: x}\n" + own)
              .find("(6/min) has the name `x` of `shadow` (60/min)\n") != std::string::npos);
    CHECK(said_of("limits: {rate: {limit: 60/min, name: \"A b\"}}\n") ==
          "3:38 error: `limits.rate.name`: `A b` is not a name\n");
}

TEST_CASE("a key tells clients apart, or not at all") {
    CHECK(said_of("clients: {key: [all, ip]}\n") ==
          "3:11 error: `clients.key` has `all` beside others, which then tell nobody apart\n");
    CHECK(said_of("clients: {key: [ip, route, ip]}\n") ==
          "3:28 error: `clients.key[2]`: `ip` is given twice\n");
    CHECK(said_of("limits: {rate: {limit: 5/s, key: [client, client]}}\n") ==
          "3:43 error: `limits.rate.key[1]`: `client` is given twice\n");
}

TEST_CASE("a queue needs a cap, and a wait that ends before the request") {
    CHECK(said_of("limits:\n  queue: {size: 5}\n") ==
          "4:11 error: `limits.queue.size` (5) needs `limits.concurrency`: without a cap nobody waits\n");
    CHECK(said_of("", {{"WEIR_LIMITS_QUEUE_SIZE", "5"}})
              .starts_with("0:24 error: `limits.queue.size` (5) needs"));
    CHECK(said_of(route("limits: {queue: {size: 5}}")) ==
          "5:22 error: `routes[0].limits.queue.size` (5) needs `routes[0].limits.concurrency`: without a cap "
          "nobody waits\n");
    CHECK(said_of("limits: {queue: {size: 0}}\n").empty());
    CHECK(said_of("limits: {concurrency: x, queue: {size: 5}}\n") ==
          "3:23 error: `limits.concurrency`: `x` is not a whole number\n");
    CHECK(said_of("limits: {concurrency: 1, queue: {size: 5, wait: 31s}}\n") ==
          "3:43 warning: `limits.queue.wait` (31s) is above the total of 30s and never reached\n");
    CHECK(said_of("limits: {concurrency: 1, queue: {size: 5, wait: 30s}}\n").empty());
    CHECK(said_of("timeout: 1s\nlimits: {concurrency: 1, queue: {size: 5}}\n").empty());
    CHECK(said_of("limits: {concurrency: 1, queue: {size: 5, wait: 20s}}\n" + route("timeout: 10s")).empty());
    CHECK(said_of(route("{limits: {concurrency: 1, queue: {wait: 20s}}, timeout: 10s}")).find("error") !=
          std::string::npos);
    CHECK(said_of(route("limits: {concurrency: 1, queue: {wait: 20s}}\n    timeout: 10s")) ==
          "5:38 warning: `routes[0].limits.queue.wait` (20s) is above the total of 10s and never reached\n");
}

TEST_CASE("one client cannot have more than all together") {
    CHECK(said_of("limits: {concurrency: 4, queue: {size: 9}, per_client_concurrency: 5}\n") ==
          "3:44 error: `limits.per_client_concurrency` (5) is above `limits.concurrency` (4)\n");
    CHECK(said_of("limits: {concurrency: 4, queue: {size: 9}, per_client_concurrency: 4}\n").empty());
    CHECK(said_of("limits: {concurrency: 4, per_client_concurrency: 2}\n") ==
          "3:26 warning: `limits.per_client_concurrency` (2) has no queue beside it: what is above it is "
          "refused and cannot "
          "wait\n");
    CHECK(said_of(route("limits: {concurrency: 4, queue: {size: 1}, per_client_concurrency: 5}")) ==
          "5:48 error: `routes[0].limits.per_client_concurrency` (5) is above `routes[0].limits.concurrency` "
          "(4)\n");
}

TEST_CASE("trusting everyone is a warning at the block") {
    CHECK(said_of("clients:\n  trusted_proxies: [10.0.0.0/8, 0.0.0.0/0, \"::/0\"]\n") ==
          "4:33 warning: `clients.trusted_proxies[1]` trusts everyone: any client can say that it is another "
          "one\n"
          "4:44 warning: `clients.trusted_proxies[2]` trusts everyone: any client can say that it is another "
          "one\n");
}

TEST_CASE("a route must ask for something, and be called something of its own") {
    CHECK(said_of("routes:\n  - {timeout: 5s}\n  - {match: {}}\n  - match:\n") ==
          "4:5 error: `routes[0]` has no `match`\n5:5 error: `routes[1]` has no `match`\n6:5 error: "
          "`routes[2]` has no `match`\n");
    CHECK(said_of("routes:\n  - {match: {path: /a}, name: x}\n  - {match: {path: /b}, name: x}\n") ==
          "5:25 error: `routes[1].name`: `x` is the name of `routes[0]` too\n");
}

TEST_CASE("a route behind one that takes everything is a warning") {
    const auto never = [](const std::string& first, const std::string& second) {
        return said_of("routes:\n  - match: {" + first + "}\n  - match: {" + second + "}\n");
    };
    CHECK(never("path: \"/a/*\"", "path: /a/b") ==
          "5:5 warning: `routes[1]` never matches: `routes[0]` takes every request that it would\n");
    CHECK_FALSE(never("path: [\"/a/*\", /c]", "path: [/c, \"/a/{x}\"]").empty());
    CHECK_FALSE(never("host: a", "{path: /a, host: a}").empty());
    CHECK_FALSE(never("method: [GET, POST]", "method: POST, path: /a").empty());
    CHECK_FALSE(never("method: GET", "method: HEAD").empty());
    CHECK_FALSE(never("header: X-A", "header: {x-a: 1}").empty());
    CHECK_FALSE(never("header: {X-A: 1}", "header: {x-a: 1, X-B: 2}").empty());
    CHECK(never("path: \"/a/*\"", "path: [/a/b, /c]").empty());
    CHECK(never("path: /a", "host: a").empty());
    CHECK(never("path: \"/*\", host: a", "path: /a").empty());
    CHECK(never("method: POST", "path: /a").empty());
    CHECK(never("method: HEAD", "method: GET").empty());
    CHECK(never("header: {X-A: 1}", "header: X-A").empty());
    CHECK(never("header: {X-A: 1}", "header: {X-A: 2}").empty());
}

TEST_CASE("the routes of a group cannot differ in what they share") {
    CHECK(said_of("routes:\n  - {match: {path: /a}, limits: {group: g, concurrency: 4}}\n"
                  "  - {match: {path: /b}, limits: {group: g, concurrency: 5}}\n") ==
          "5:44 error: `routes[1].limits.concurrency` differs from `routes[0].limits.concurrency`, and both "
          "are of the group "
          "`g`\n");
    CHECK(said_of("routes:\n  - {match: {path: /a}, limits: {group: g, concurrency: 4, queue: {size: 1}}}\n"
                  "  - {match: {path: /b}, limits: {group: g, queue: {size: 2}}}\n") ==
          "5:52 error: `routes[1].limits.queue.size` differs from `routes[0].limits.queue.size`, and both "
          "are of the group "
          "`g`\n");
    CHECK(said_of("routes:\n  - {match: {path: /a}, limits: {group: g}}\n  - {match: {path: /b}, limits: "
                  "{group: g}}\n") == "4:34 error: the group `g` has no `concurrency`\n");
    CHECK(said_of("routes:\n  - {match: {path: /a}, limits: {group: g, concurrency: 4}}\n"
                  "  - {match: {path: /b}, limits: {group: g, concurrency: 4}}\n"
                  "  - {match: {path: /c}, limits: {group: h, concurrency: 5}}\n")
              .empty());
}

TEST_CASE("parameters of the path are in every pattern, and always there") {
    CHECK(said_of("routes:\n  - match: {path: [\"/a/{id}\", /b]}\n    params: {path: {id: {int: 1..}}}\n") ==
          "5:21 error: `routes[0].params.path.id` is not in `/b`\n");
    CHECK(said_of("routes:\n  - match: {host: a}\n    params: {path: {id: {int: 1..}}}\n") ==
          "5:21 error: `routes[0].params.path.id` has no pattern that names it\n");
    CHECK(said_of(route("params: {path: {id: {int: 1.., default: 5}}}")) ==
          "5:36 error: `routes[0].params.path.id.default`: a parameter of the path is always there\n");
    CHECK(said_of(route("params: {path: {id: {required: true}}}")) ==
          "5:26 error: `routes[0].params.path.id.required`: a parameter of the path is always there\n");
    CHECK(said_of(route("params: {path: {id: {int: 1.., on_violation: clamp}}}")).empty());
}

TEST_CASE("a parameter is of one kind, and its default is one that it allows") {
    const auto query = [](const std::string& more) {
        return said_of(route("params: {query: {x: {" + more + "}}}"));
    };
    CHECK(query("int: 1.., len: 1..5") ==
          "5:36 error: `routes[0].params.query.x` has both `int` and `len`\n");
    CHECK(query("int: 1..5, default: 6") ==
          "5:37 error: `routes[0].params.query.x.default`: `6` is not what `int` allows\n");
    CHECK(query("int: 1..5, default: 05").find("not what") != std::string::npos);
    CHECK(query("number: 0..1, default: 0.5").empty());
    CHECK(query("number: 0..1, default: 1.5").find("not what `number` allows") != std::string::npos);
    CHECK(query("enum: [a, b], default: c").find("not what `enum` allows") != std::string::npos);
    CHECK(query("enum: [a, b], default: b").empty());
    CHECK(query("len: 1..2, default: éé").empty());
    CHECK(query("len: 1..2, default: abc").find("not what `len` allows") != std::string::npos);
    CHECK(query("default: anything").empty());
    CHECK(query("required: true, default: a") ==
          "5:26 error: `routes[0].params.query.x` is required, and so its `default` is never used\n");
    CHECK(query("len: 1..5, on_violation: clamp") ==
          "5:37 error: `routes[0].params.query.x.on_violation`: only a number can be clamped\n");
    CHECK(query("on_violation: clamp").find("clamped") != std::string::npos);
}

TEST_CASE("credentials are not for every origin, and the message says why") {
    CHECK(said_of("cors: {origins: \"*\", credentials: true}\n") ==
          "3:22 error: `cors.credentials` is not for every origin: any page could act, and read, as the user "
          "who visits it\n");
    CHECK(said_of("cors: {origins: [https://a.example, \"*\"]}\n") ==
          "3:37 error: `cors.origins[1]`: `*` is any, and the others beside it mean nothing\n");
    CHECK(said_of("cors: {origins: https://a.example, credentials: true, headers: \"*\"}\n") ==
          "3:55 warning: `cors.headers`: browsers take `*` for a field of that name where credentials are "
          "sent\n");
    CHECK(said_of("cors: \"*\"\n").empty());
}

TEST_CASE("errors are written in one way, and public paths are two") {
    CHECK(said_of("errors: {format: body}\n") ==
          "3:10 error: `errors.format` is body, and there is no `errors.body`\n");
    CHECK(said_of("errors: {format: problem, body: x}\n") ==
          "3:27 warning: `errors.body` is not used: `errors.format` is problem\n");
    CHECK(said_of("public: {health: /x, queue_stats: /x}\n") ==
          "3:22 error: `public.queue_stats`: `/x` is `public.health` already\n");
}

TEST_CASE("nothing follows from an element that was wrong itself, and all else is still checked") {
    CHECK(
        said_of("limits: {rate: [60, {limit: 5/s, cost: 6}]}\n") ==
        "3:17 error: `limits.rate[0].limit`: `60` has no window\n"
        "3:34 error: `limits.rate[1].cost` (6) is above the limit (5): no request could ever be admitted\n");
    CHECK(said_of("routes:\n  - match: {path: \"/*\"}\n    timeout: x\n  - {match: {path: /b}, limits: "
                  "{rate: {limit: 5/s, cost: 6}}}\n") ==
          "5:14 error: `routes[0].timeout`: `x` is not a duration\n"
          "6:53 error: `routes[1].limits.rate.cost` (6) is above the limit (5): no request could ever be "
          "admitted\n");
}
