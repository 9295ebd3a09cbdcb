// Rows that the global limits, those of a route and the shadow rules have in common. A fragment is given the
// path that it stands below, and a lambda without captures that leads from the settings to the structure that
// its rows describe.
#pragma once

#include "config/field_rows.h"

namespace weir::config {

/// What all rates have, below `Prefix`; `Quota` names the key that says how many, as in ".limit".
template <Literal Prefix, Literal QuotaKey, class Place>
constexpr auto rate_fragment(Place) {
    using S = Settings;
    return std::to_array<Field>({
        {.path = below<Prefix, QuotaKey>,
         .type = Type::quota,
         .store = into([](S & s) -> auto& { return Place{}(s).quota; }),
         .doc = "How many: 10/s, 60/min, 1000/hour, 5000/day, or a number for each duration, as in 100/15s."},
        {.path = below<Prefix, ".burst">,
         .type = Type::integer,
         .fallback = "~",
         .range = {"1", "4294967295"},
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).burst; }),
         .doc = "With it the rule is a token bucket of this size; ~ never admits more in any such time."},
        {.path = below<Prefix, ".key[]">,
         .type = Type::key_part,
         .fallback = "client",
         .choices = {"client", "ip", "route", "all"},
         .list = list_in(
             [](S & s) -> auto& { return Place{}(s).key; }, 8),
         .store = into([](S & s) -> auto& { return Place{}(s).key.back(); }),
         .doc = "What is counted apart: client (as clients.key says), ip, route, all, header:NAME, "
                "cookie:NAME, or a list."},
        {.path = below<Prefix, ".cost">,
         .type = Type::integer,
         .fallback = "1",
         .range = {"1", "4294967295"},
         .store = into([](S & s) -> auto& { return Place{}(s).cost; }),
         .doc = "How much of it one request takes."},
        {.path = below<Prefix, ".name">,
         .type = Type::name,
         .fallback = "~",
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).name; }),
         .doc = "Of the rule, in answers, log and metrics; ~ is made of its time: per-min, of a route "
                "reports-per-min."},
    });
}

/// The defaults of a scope's own keys: of a route all of them are "~", what the global limits say.
struct ScopeDefaults {
    std::string_view mode, queue_size, queue_wait, body, keys;
    std::string_view word;  ///< of those that may be inherited
    ListOf rates = {};      ///< what the list of rates has beside its places
};

inline constexpr ScopeDefaults kGlobalDefaults{.mode = "enforce",
                                               .queue_size = "0",
                                               .queue_wait = "5s",
                                               .body = "10MiB",
                                               .keys = "100000",
                                               .word = {},
                                               .rates = {.least = 0}};

/// What the limits of every scope have, below `Prefix`. `Place` leads to a ScopeLimits.
template <Literal Prefix, class Place>
constexpr auto scope_fragment(Place, const ScopeDefaults& defaults) {
    using S = Settings;
    const auto last_rate = [](S & s) -> auto& { return Place{}(s).rates.back(); };
    const auto head = std::to_array<Field>({
        {.path = below<Prefix, ".mode">,
         .type = Type::choice,
         .fallback = defaults.mode,
         .choices = {"enforce", "shadow", "off"},
         .word = defaults.word,
         .store = into([](S & s) -> auto& { return Place{}(s).mode; }),
         .doc = "enforce; shadow counts and logs what would be refused, and refuses nothing; off."},
        {.path = below<Prefix, ".rate[]">,
         .fallback = "[]",
         .shorthand = "limit",
         .list = list_in(
             [](S & s) -> auto& { return Place{}(s).rates; }, 16, defaults.rates),
         .doc = "How often; of several rules a request is charged to all or, where one refuses, to none."},
    });
    const auto tail = std::to_array<Field>({
        {.path = below<Prefix, ".rate[].mode">,
         .type = Type::choice,
         .fallback = "~",
         .choices = {"enforce", "shadow", "off"},
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).rates.back().mode; }),
         .doc = "Of this rule alone; ~ is the mode of the limits around it."},
        {.path = below<Prefix, ".concurrency">,
         .type = Type::integer,
         .fallback = "~",
         .range = {"1", "100000"},
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).concurrency; }),
         .doc = "Most requests inside the app at once; ~ sets no cap."},
        {.path = below<Prefix, ".queue">, .doc = "Where requests above the cap wait, fairly."},
        {.path = below<Prefix, ".queue.size">,
         .type = Type::integer,
         .fallback = defaults.queue_size,
         .range = {"0", "100000"},
         .word = defaults.word,
         .store = into([](S & s) -> auto& { return Place{}(s).queue.size; }),
         .doc = "Most requests that wait at once; 0 refuses what is above the cap."},
        {.path = below<Prefix, ".queue.wait">,
         .type = Type::duration,
         .fallback = defaults.queue_wait,
         .range = {"1ms", "24h"},
         .word = defaults.word,
         .store = into([](S & s) -> auto& { return Place{}(s).queue.wait; }),
         .doc = "Longest a request waits there."},
        {.path = below<Prefix, ".per_client_concurrency">,
         .type = Type::integer,
         .fallback = "~",
         .range = {"1", "100000"},
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).per_client_concurrency; }),
         .doc = "Most requests of one client inside the app at once; more of them wait."},
        {.path = below<Prefix, ".body">,
         .type = Type::size,
         .fallback = defaults.body,
         .range = {"0B", "1TiB"},
         .word = defaults.word,
         .store = into([](S & s) -> auto& { return Place{}(s).body_bytes; }),
         .doc = "Largest request body; a larger one is answered with 413."},
        {.path = below<Prefix, ".keys">,
         .type = Type::integer,
         .fallback = defaults.keys,
         .range = {"1", "10000000"},
         .word = defaults.word,
         .store = into([](S & s) -> auto& { return Place{}(s).keys; }),
         .doc = "Clients remembered for each rule."},
    });
    return concatenated(head, rate_fragment<kJoined<Prefix, ".rate[]">, ".limit">(last_rate), tail);
}

}  // namespace weir::config
