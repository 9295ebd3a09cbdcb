// Everything the operator may decide, typed and checked: what the rest of weir reads. Built by config/load.h,
// from then on immutable and shared by all threads. Every default stands in the field table
// (config/fields.cc), not here.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/endpoint.h"

namespace weir::config {

enum class TlsVersion : uint8_t { tls12, tls13 };

/// What weir shows clients that ask for one of the certificate's names. Paths of files (PEM).
struct Certificate {
    std::string certificate;  ///< with those between it and its authority behind it
    std::string key;
    std::string client_ca;  ///< who has to vouch for clients; empty: they show no certificate
    TlsVersion min_version = TlsVersion::tls12;
};

struct Listen {
    Endpoint address;
    uint32_t mode = 0660;                         ///< permissions of a UNIX socket
    bool http2 = true;                            ///< spoken beside HTTP/1.1
    bool proxy_protocol = false;                  ///< connections begin with a PROXY header
    std::optional<uint16_t> redirect_https = {};  ///< every request is sent to this port; never with `tls`
    std::vector<Certificate> tls = {};            ///< the first is for names that none is for; empty: no TLS
};

/// Where the operator asks how weir is doing, apart from the clients.
struct Admin {
    std::optional<Endpoint> address;  ///< none: off
    bool is_address_own = false;      ///< the operator has written it: without it weir is not to start
    std::string token;                ///< that has to be shown (RFC 6750); empty: none
};

enum class Balance : uint8_t { least_in_flight, round_robin };

struct Pool {
    size_t max_idle = 0;                   ///< idle connections kept for each server
    size_t min_idle = 0;                   ///< opened ahead of need, and replaced as they age
    std::optional<Duration> idle_timeout;  ///< none: "auto", learnt from the app
    uint64_t max_requests = 0;             ///< per connection; 0: no such bound
    Duration max_age{};
};

/// Where the app listens, as its URL says.
struct ServerUrl {
    Endpoint address;
    bool is_tls = false;  ///< https; never of a UNIX socket

    bool operator==(const ServerUrl&) const = default;
};

struct Server {
    Endpoint address;
    bool is_tls = false;
    uint32_t weight = 1;                       ///< its share beside the other servers, at least 1
    std::optional<size_t> max_in_flight = {};  ///< requests inside it at once, of all workers; at least 1
    std::optional<Duration> slow_start = {};   ///< after it came back, until it has its whole share again

    bool operator==(const Server&) const = default;
};

/// Requests that may be sent again where the first try failed.
struct Retry {
    unsigned attempts = 1;        ///< tries in all; 1: none is sent again
    unsigned budget_percent = 0;  ///< of all requests (policy/retry_budget.h); at most 100

    bool operator==(const Retry&) const = default;
};

/// To the servers with https.
struct UpstreamTls {
    std::string ca;  ///< a file of certificates to trust; empty: those of the system
    bool verify = true;
    std::string server_name;  ///< asked for and verified, a name or an address; empty: the server's host

    bool operator==(const UpstreamTls&) const = default;
};

struct Upstream {
    std::vector<Server> servers;  ///< at least one
    Balance balance = Balance::round_robin;
    std::string host;  ///< Host sent to the app; empty: the client's
    Pool pool;
    Retry retry;
    Duration hold{};  ///< how long a request waits for an app that is restarting; zero: not at all
    UpstreamTls tls;
};

/// Both ends included, 200 to 599.
struct StatusRange {
    uint16_t low = 0;
    uint16_t high = 0;

    bool operator==(const StatusRange&) const = default;
};

/// What the answer to a health check has to be.
struct Expect {
    std::vector<StatusRange> statuses;  ///< at least one
    std::string body;                   ///< text that stands in it; empty: none needs to

    bool operator==(const Expect&) const = default;
};

/// What requests tell of a server: failures in a row take it out for a while.
struct Passive {
    std::optional<uint32_t> failures;  ///< none: servers stay in, whatever requests tell
    Duration window{};                 ///< that the failures lie in
    Duration eject{};                  ///< the first time; doubled each time that it fails again
    Duration max_eject{};              ///< at least `eject`

    bool operator==(const Passive&) const = default;
};

struct Health {
    std::string path;  ///< empty: servers are not asked
    Duration interval{};
    Duration timeout{};  ///< of one check, from the connect to the end of the answer
    unsigned rise = 1;   ///< checks in a row that bring a server back
    unsigned fall = 1;   ///< checks in a row that take it out
    Expect expect;
    Passive passive;

    bool operator==(const Health&) const = default;
};

/// One thing that tells clients apart. A key is a list of them: requests that agree in all of them count
/// together.
struct KeyPart {
    enum class Kind : uint8_t {
        client,  ///< what `clients.key` says, and never in it
        ip,      ///< the client's address; of an IPv6 address the first `clients.ipv6_prefix` bits
        header,  ///< the value of the field `name`; the address where the request has none
        cookie,  ///< the value of the cookie `name`; the address where the request has none
        route,   ///< the route that the request takes
        all,     ///< the same for everyone; always alone in its key
    };
    Kind kind = Kind::ip;
    std::string name;  ///< of a header (lower case) or a cookie (as written)

    bool operator==(const KeyPart&) const = default;
};
using Key = std::vector<KeyPart>;  ///< at least one part, each once

/// A block of addresses. IPv4 is held as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2): 10.0.0.0/8 is
/// ::ffff:10.0.0.0 with 104 bits.
struct Cidr {
    std::array<uint8_t, 16> address{};  ///< network byte order; zero behind the prefix
    uint8_t prefix_bits = 128;          ///< 0 to 128

    bool operator==(const Cidr&) const = default;
};

struct Clients {
    Key key;
    unsigned ipv6_prefix_bits = 64;
    std::vector<Cidr> trusted_proxies;  ///< whom to believe who the client is; empty: nobody
    size_t max_connections = 0;
    size_t max_connections_per_ip = 0;
};

/// A value that is taken from around it where it is not given: by a route from the global limits, by a rule
/// from its scope. Loading fills `value` in either case: hardly anybody needs to look at `is_own`.
template <class T>
struct Inherited {
    T value{};
    bool is_own = false;  ///< given here, or its default at the outermost level

    operator const T&() const { return value; }
};

enum class Mode : uint8_t {
    enforce,
    shadow,  ///< count and log, never refuse
    off,
};

/// "60/min": a number and a window.
struct Quota {
    uint32_t limit = 0;  ///< at least 1
    Duration window{};   ///< 100 ms to 31 days, whole milliseconds

    bool operator==(const Quota&) const = default;
};

/// Without a burst: never more than `quota.limit` in any `quota.window`. With one: a bucket of `burst` tokens
/// that fills with `quota.limit` tokens in each `quota.window`, evenly.
struct Rate {
    std::string name;  ///< never empty, [a-z0-9_-]; unique among all that hold for one request
    Quota quota;
    std::optional<uint32_t> burst;  ///< at least `cost`; filling the bucket takes at most 31 days
    Key key;
    uint32_t cost = 1;     ///< what one request takes; at most `burst`, or `quota.limit` without one
    Inherited<Mode> mode;  ///< from the limits that it stands in
};

/// Where requests wait that found no place inside the app. Each scope with a cap has its own.
struct Queue {
    Inherited<size_t> size;  ///< 0: none waits
    Inherited<Duration> wait;
};

/// What bounds the requests of one scope: of all together (`limits`), or of one route, in addition to that.
/// Inherited members of a route come from the global scope, or of the routes in its group.
struct ScopeLimits {
    Inherited<Mode> mode;
    std::vector<Rate> rates;
    std::optional<size_t> concurrency;             ///< none: no cap of its own
    Queue queue;                                   ///< never of a size without a cap
    std::optional<size_t> per_client_concurrency;  ///< never above `concurrency`; what is beyond it waits
    Inherited<uint64_t> body_bytes;
    Inherited<size_t> keys;  ///< clients remembered for each rule of the scope
};

struct Limits : ScopeLimits {
    size_t header_bytes = 0;  ///< whole request head
    size_t headers = 0;       ///< field count
    size_t uri_bytes = 0;
    uint64_t min_rate_bytes_per_second = 0;
    size_t memory_bytes = 0;
};

struct RouteLimits : ScopeLimits {
    bool is_exempt = false;  ///< `rate: none`: the global rates do not hold here
    /// Routes that name the same group share one cap, one queue and one cap for each client: `concurrency`,
    /// `queue.size` and `per_client_concurrency` are the same in all of them. Empty: the route is alone.
    std::string group;
};

struct Buffers {
    size_t request_bytes = 0;
    size_t response_bytes = 0;
};

struct Timeout {
    Duration total{};
    Duration header{};
    Duration keepalive{};
    Duration connect{};
    std::optional<Duration> stall;  ///< of whoever everything waits for; none: 30 s of a client, and of the
                                    ///< app whatever is left of the total
    Duration tunnel{};  ///< silence after which an upgraded connection is closed; `total` and `stall` do not
                        ///< hold for it
};

enum class LogFormat : uint8_t { json, combined };
enum class LogLevel : uint8_t { debug, info, warning, error };

struct Log {
    std::string access;  ///< a path, "stdout", "stderr" or "off"
    LogFormat format = LogFormat::json;
    LogLevel level = LogLevel::info;
    Duration slow{};
};

/// What paths a route takes, compared with the normalised path of a request (http/target.h).
struct PathPattern {
    struct Segment {
        std::string text;           ///< what stands there, or the name of the parameter
        bool is_parameter = false;  ///< "{id}": any text but none at all, up to the next slash

        bool operator==(const Segment&) const = default;
    };
    /// What stands behind each slash: "/a/{id}" has two, "/" and "/a/" have an empty last one.
    std::vector<Segment> segments;
    /// The pattern ends in "*": the last segment is text that a segment may merely begin with, and anything
    /// may follow. "/a/*" takes "/a/" and "/a/b/c", not "/a".
    bool takes_rest = false;
    std::string text;  ///< as written

    bool operator==(const PathPattern&) const = default;
};

struct HeaderMatch {
    std::string name;                  ///< lower case
    std::optional<std::string> value;  ///< exactly so; none: any
};

/// All of it must hold. A list that is empty asks for nothing; of one that is not, one element must hold.
struct Match {
    std::vector<PathPattern> paths;
    std::vector<std::string> methods;  ///< GET stands for HEAD too
    std::string host;                  ///< lower case; without a port: whatever the port; empty: any
    std::vector<HeaderMatch> headers;  ///< of these all must hold
};

/// Both ends included.
struct IntegerRange {
    int64_t low = std::numeric_limits<int64_t>::min();
    int64_t high = std::numeric_limits<int64_t>::max();
};
struct NumberRange {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
};

enum class OnViolation : uint8_t {
    reject,
    clamp,  ///< only with `integer` or `number`: the nearest end of the range is put in its place
};

/// What one parameter of the path or the query may be, after percent-decoding. At most one of `integer`,
/// `number`, `choices` and `length` is set; without any, every value will do.
struct Param {
    std::string name;
    std::optional<IntegerRange> integer;
    std::optional<NumberRange> number;
    std::vector<std::string> choices;
    std::optional<IntegerRange> length;   ///< in characters; `low` is at least 0
    bool required = false;                ///< of the query: 400 or 422 where it is missing
    std::optional<std::string> fallback;  ///< `default`, of the query: put in where it is missing; valid
    OnViolation on_violation = OnViolation::reject;
};

struct Params {
    std::vector<Param> path;   ///< each is named in every pattern of the route
    std::vector<Param> query;  ///< others pass as they are
};

struct Route {
    std::string name;  ///< never empty, unique, [a-z0-9_-]
    Match match;       ///< asks for something
    RouteLimits limits;
    Inherited<Duration> timeout_total;  ///< from `timeout.total`
    std::vector<std::string> methods;   ///< others are answered with 405; GET stands for HEAD too; empty: all
    std::vector<std::string> content_types;  ///< "type/subtype" or "type/*", lower case; a body of another is
                                             ///< answered with 415; empty: all pass
    Params params;
};

/// Off where `origins` is empty.
struct Cors {
    std::vector<std::string> origins;  ///< "https://app.example", lower case, or "*" alone
    std::vector<std::string> methods;
    std::vector<std::string> headers;  ///< that a request may carry; "*" alone: any
    std::vector<std::string> expose;   ///< of the answer, to the script
    bool credentials = false;          ///< never with "*"
    Duration max_age{};
};

enum class ErrorFormat : uint8_t {
    problem,  ///< application/problem+json (RFC 9457)
    body,     ///< `content_type` and `body`
};

/// A stretch of text, or what stands in its place in each answer. Escaping what is put in, as the content
/// type needs it, is the writer's.
struct BodyPiece {
    enum class Kind : uint8_t { text, status, reason, detail, request_id };
    Kind kind = Kind::text;
    std::string text;

    bool operator==(const BodyPiece&) const = default;
};

/// How answers are written that weir makes itself.
struct Errors {
    ErrorFormat format = ErrorFormat::problem;
    std::string content_type;
    std::vector<BodyPiece> body;
};

enum class RateLimitHeaders : uint8_t {
    draft,   ///< RateLimit and RateLimit-Policy
    legacy,  ///< X-RateLimit-*
    both,
    off,
};

/// What weir adds: to answers, and to requests on their way to the app.
struct Headers {
    RateLimitHeaders rate_limit = RateLimitHeaders::draft;
    bool request_start = true;  ///< X-Request-Start
    bool deadline = true;       ///< X-Request-Deadline
};

/// Paths that weir answers itself on the main listeners. Empty: none.
struct Public {
    std::string health;
    std::string queue_stats;
};

struct Settings {
    std::vector<Listen> listen;  ///< at least one
    Admin admin;
    unsigned workers = 1;
    Duration drain{};
    Upstream upstream;
    Health health;
    Clients clients;
    Limits limits;
    Buffers buffers;
    Timeout timeout;
    Cors cors;
    Log log;
    Errors errors;
    Headers headers;
    Public public_paths;
    std::vector<Route> routes;  ///< the first that matches wins
    /// Evaluated for every request that the global rates are for, and never enforced. Names are unique among
    /// these and the global rates.
    std::vector<Rate> shadow;
};

}  // namespace weir::config
