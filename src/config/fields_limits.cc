// The rows of the language that bound what clients may take.
#include "config/limit_fragments.h"

namespace weir::config {
namespace {

using S = Settings;

constexpr Range kWait{"1ms", "24h"};

constexpr auto kClients = std::to_array<Field>({
    {.path = "clients", .doc = "Who a client is, and how many connections there may be."},
    {.path = "clients.key[]",
     .type = Type::key_part,
     .fallback = "ip",
     .choices = {"ip", "route", "all"},
     .list = list_in(
         [](S & s) -> auto& { return s.clients.key; }, 8),
     .store = into([](S & s) -> auto& { return s.clients.key.back(); }),
     .doc =
         "What tells clients apart, alone or several together; a request without the header or cookie counts "
         "for its address."},
    {.path = "clients.ipv6_prefix",
     .type = Type::integer,
     .fallback = "64",
     .range = {"1", "128"},
     .store = into([](S & s) -> auto& { return s.clients.ipv6_prefix_bits; }),
     .doc = "Bits of an IPv6 address that make a client: those behind it are its own to choose."},
    {.path = "clients.trusted_proxies[]",
     .type = Type::cidr,
     .fallback = "[]",
     .list = list_in([](S & s) -> auto& { return s.clients.trusted_proxies; }, 1000, {.least = 0}),
     .store = into([](S & s) -> auto& { return s.clients.trusted_proxies.back(); }),
     .doc = "Addresses and blocks of proxies whose X-Forwarded-For and Forwarded are believed."},
    {.path = "clients.max_connections",
     .type = Type::integer,
     .fallback = "10000",
     .range = {"1", "1000000"},
     .store = into([](S & s) -> auto& { return s.clients.max_connections; }),
     .doc = "Most client connections at once; past it a new one is closed."},
    {.path = "clients.max_connections_per_ip",
     .type = Type::integer,
     .fallback = "512",
     .range = {"1", "1000000"},
     .store = into([](S & s) -> auto& { return s.clients.max_connections_per_ip; }),
     .doc = "The same for one address (an IPv6 /64, all of UNIX sockets), those of trusted proxies aside."},
});

constexpr auto kScope =
    scope_fragment<"limits">([](S& s) -> ScopeLimits& { return s.limits; }, kGlobalDefaults);

constexpr auto kRequest = std::to_array<Field>({
    {.path = "limits.header",
     .type = Type::size,
     .fallback = "16KiB",
     .range = {"1KiB", "256KiB"},
     .store = into([](S & s) -> auto& { return s.limits.header_bytes; }),
     .doc = "Largest request head, all of it; a larger one is answered with 431."},
    {.path = "limits.headers",
     .type = Type::integer,
     .fallback = "100",
     .range = {"1", "1000"},
     .store = into([](S & s) -> auto& { return s.limits.headers; }),
     .doc = "Most header fields of a request; more are answered with 431."},
    {.path = "limits.uri",
     .type = Type::size,
     .fallback = "8KiB",
     .range = {"64B", "256KiB"},
     .store = into([](S & s) -> auto& { return s.limits.uri_bytes; }),
     .doc = "Longest request target, not above limits.header; a longer one is answered with 414."},
    {.path = "limits.min_rate",
     .type = Type::rate,
     .fallback = "256B/s",
     .range = {"1B/s", "1GiB/s"},
     .store = into([](S & s) -> auto& { return s.limits.min_rate_bytes_per_second; }),
     .doc = "Slowest upload or download, judged over spans of 10 s in which weir waits for the client."},
    {.path = "limits.memory",
     .type = Type::size,
     .fallback = "256MiB",
     .range = {"1MiB", "64GiB"},
     .store = into([](S & s) -> auto& { return s.limits.memory_bytes; }),
     .doc = "Memory for what all requests and answers hold at once."},
});

constexpr auto kExchange = std::to_array<Field>({
    {.path = "buffers", .doc = "What one exchange may hold, to shield the app from slow clients."},
    {.path = "buffers.request",
     .type = Type::size,
     .fallback = "64KiB",
     .range = {"4KiB", "1GiB"},
     .store = into([](S & s) -> auto& { return s.buffers.request_bytes; }),
     .doc = "Body read ahead of the app; a smaller one is read whole before the app is asked."},
    {.path = "buffers.response",
     .type = Type::size,
     .fallback = "256KiB",
     .range = {"4KiB", "1GiB"},
     .store = into([](S & s) -> auto& { return s.buffers.response_bytes; }),
     .doc = "Answer read ahead of the client, so that the app is free as soon as it is done."},

    {.path = "timeout", .shorthand = "total", .doc = "Deadlines; a bare duration is the total."},
    {.path = "timeout.total",
     .type = Type::duration,
     .fallback = "30s",
     .range = kWait,
     .store = into([](S & s) -> auto& { return s.timeout.total; }),
     .doc = "From the end of a request's head to the end of the answer: queue, connecting, app and all."},
    {.path = "timeout.header",
     .type = Type::duration,
     .fallback = "10s",
     .range = kWait,
     .store = into([](S & s) -> auto& { return s.timeout.header; }),
     .doc = "For a client to send the whole request head; also for a new connection to say anything."},
    {.path = "timeout.keepalive",
     .type = Type::duration,
     .fallback = "75s",
     .range = kWait,
     .store = into([](S & s) -> auto& { return s.timeout.keepalive; }),
     .doc = "Silence between two requests after which a client connection is closed."},
    {.path = "timeout.connect",
     .type = Type::duration,
     .fallback = "2s",
     .range = kWait,
     .store = into([](S & s) -> auto& { return s.timeout.connect; }),
     .doc = "For one attempt to connect to the app, with the TLS handshake where there is one."},
    {.path = "timeout.stall",
     .type = Type::duration,
     .fallback = "~",
     .range = kWait,
     .word = "~",
     .store = into([](S & s) -> auto& { return s.timeout.stall; }),
     .doc = "Silence of whoever everything waits for; ~ is 30s of a client, and leaves the app until the "
            "total."},
    {.path = "timeout.tunnel",
     .type = Type::duration,
     .fallback = "1h",
     .range = {"1ms", "7d"},
     .store = into([](S & s) -> auto& { return s.timeout.tunnel; }),
     .doc = "Silence after which an upgraded connection (WebSocket) is closed; total and stall do not hold "
            "for it."},
});

constexpr auto kLimits = std::to_array<Field>(
    {{.path = "limits", .doc = "How often, how many at once, and what a request may be."}});

constexpr auto kRows = concatenated(kClients, kLimits, kScope, kRequest, kExchange);

constexpr auto kShadow = std::to_array<Field>(
    {{.path = "shadow[]",
      .fallback = "[]",
      .shorthand = "rate",
      .list = list_in([](S & s) -> auto& { return s.shadow; }, 16, {.least = 0}),
      .doc = "Rules that are evaluated beside the global ones, counted and logged, and never enforced."}});

constexpr auto kShadowRows =
    concatenated(kShadow, rate_fragment<"shadow[]", ".rate">([](S& s) -> Rate& { return s.shadow.back(); }));

}  // namespace

std::span<const Field> limit_rows() { return kRows; }

std::span<const Field> shadow_rows() { return kShadowRows; }

}  // namespace weir::config
