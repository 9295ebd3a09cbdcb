// The rows of the language that say where clients come in, and how weir runs.
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
     .doc = ":port is every address of the machine, IPv4 and IPv6."},
    {.path = "listen[].mode",
     .type = Type::mode,
     .fallback = "0660",
     .range = {"0", "0777"},
     .store = into([](S & s) -> auto& { return s.listen.back().mode; }),
     .doc = "Permissions of the socket file of a unix: address, octal."},
    {.path = "listen[].http2",
     .type = Type::boolean,
     .fallback = "true",
     .store = into([](S & s) -> auto& { return s.listen.back().http2; }),
     .doc = "Whether HTTP/2 is spoken too, with clients that begin with it."},
    {.path = "admin",
     .shorthand = "address",
     .doc = "Where the operator asks for metrics and states; ~ is off."},
    {.path = "admin.address",
     .type = Type::address,
     .fallback = "127.0.0.1:9180",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.admin.address; }),
     .doc = "Apart from what clients reach; ~ is off."},
    {.path = "admin.token",
     .type = Type::text,
     .fallback = "~",
     .word = "~",
     .is_secret = true,
     .store = into([](S & s) -> auto& { return s.admin.token; }),
     .doc =
         "What who asks has to show, as a Bearer token; needed where other machines can reach the address."},
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
     .doc = "How long running requests may take to finish after SIGTERM or SIGINT."},
});

}  // namespace

std::span<const Field> service_rows() { return kRows; }

}  // namespace weir::config
