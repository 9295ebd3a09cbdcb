// The rows of the language that say where clients come in and where the app is.
#include "config/field_rows.h"

namespace weir::config {
namespace {

using S = Settings;

constexpr auto kRows = std::to_array<Field>({
    {.path = "listen[]",
     .shorthand = "address",
     .list = list_in(
         [](S & s) -> auto& { return s.listen; }, 64),
     .doc = "Where clients connect: an address, or a list of addresses or maps."},
    {.path = "listen[].address",
     .type = Type::address,
     .store = into([](S & s) -> auto& { return s.listen.back().address; }),
     .doc = "host:port, [v6]:port, :port (every address of the machine) or unix:/path."},
    {.path = "listen[].mode",
     .type = Type::mode,
     .fallback = "0660",
     .range = {"0", "0777"},
     .store = into([](S & s) -> auto& { return s.listen.back().mode; }),
     .doc = "Permissions of the socket file of a unix: address, octal."},
    {.path = "workers",
     .type = Type::integer,
     .fallback = "1",
     .range = {"1", "64"},
     .word = "auto",
     .store = into([](S & s) -> auto& { return s.workers; }),
     .doc = "Threads that carry traffic; auto is one for each core."},
    {.path = "drain",
     .type = Type::duration,
     .fallback = "30s",
     .range = {"0s", "24h"},
     .store = into([](S & s) -> auto& { return s.drain; }),
     .doc = "How long running exchanges may take to finish after SIGTERM or SIGINT."},

    {.path = "upstream", .shorthand = "servers", .doc = "The app: a URL, a list of URLs, or a map."},
    {.path = "upstream.servers[]",
     .type = Type::server,
     .list = list_in(
         [](S & s) -> auto& { return s.upstream.servers; }, 256),
     .store = into([](S & s) -> auto& { return s.upstream.servers.back().address; }),
     .doc = "Where the app listens: http://host:port or unix:/path, one or a list."},
    {.path = "upstream.balance",
     .type = Type::choice,
     .fallback = "least_in_flight",
     .choices = {"least_in_flight", "round_robin"},
     .store = into([](S & s) -> auto& { return s.upstream.balance; }),
     .doc = "How a server is chosen for a request."},
    {.path = "upstream.host",
     .type = Type::host,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.upstream.host; }),
     .doc = "The Host sent to the app; ~ passes the client's on."},
    {.path = "upstream.pool", .doc = "Connections to the app that are kept for reuse."},
    {.path = "upstream.pool.max_idle",
     .type = Type::integer,
     .fallback = "64",
     .range = {"0", "100000"},
     .store = into([](S & s) -> auto& { return s.upstream.pool.max_idle; }),
     .doc = "Most idle connections kept for each server."},
    {.path = "upstream.pool.min_idle",
     .type = Type::integer,
     .fallback = "0",
     .range = {"0", "100000"},
     .store = into([](S & s) -> auto& { return s.upstream.pool.min_idle; }),
     .doc = "Connections opened ahead of need for each server, and kept past idle_timeout."},
    {.path = "upstream.pool.idle_timeout",
     .type = Type::duration,
     .fallback = "auto",
     .range = {"1ms", "24h"},
     .word = "auto",
     .store = into([](S & s) -> auto& { return s.upstream.pool.idle_timeout; }),
     .doc = "How long an idle connection is kept; auto goes by the app's Keep-Alive, or is 60s."},
    {.path = "upstream.pool.max_requests",
     .type = Type::integer,
     .fallback = "0",
     .range = {"0", "1000000000"},
     .store = into([](S & s) -> auto& { return s.upstream.pool.max_requests; }),
     .doc = "Requests after which a connection is replaced; 0 leaves that to max_age."},
    {.path = "upstream.pool.max_age",
     .type = Type::duration,
     .fallback = "1h",
     .range = {"1s", "7d"},
     .store = into([](S & s) -> auto& { return s.upstream.pool.max_age; }),
     .doc = "Age at which a connection is replaced."},
});

}  // namespace

std::span<const Field> service_rows() { return kRows; }

}  // namespace weir::config
