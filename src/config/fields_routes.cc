// The rows of the language that treat some requests apart.
#include "config/limit_fragments.h"

namespace weir::config {
namespace {

using S = Settings;

constexpr size_t kMostParams = 64;

constexpr ScopeDefaults kInherited{
    .mode = "~",
    .queue_size = "~",
    .queue_wait = "~",
    .body = "~",
    .keys = "~",
    .word = "~",
    .rates = {.least = 0, .word = "none", .on_word = [](S& s) { s.routes.back().limits.is_exempt = true; }}};

constexpr auto kMatch = std::to_array<Field>({
    {.path = "routes[]",
     .fallback = "[]",
     .list = list_in([](S & s) -> auto& { return s.routes; }, 1000, {.least = 0}),
     .doc = "Requests that are treated apart: the first route that matches wins, and inherits what it does "
            "not say."},
    {.path = "routes[].match", .doc = "Which requests; all that is given here must hold."},
    {.path = "routes[].match.path[]",
     .type = Type::pattern,
     .fallback = "~",
     .list = list_in([](S & s) -> auto& { return s.routes.back().match.paths; }, 64, {.word = "~"}),
     .store = into([](S & s) -> auto& { return s.routes.back().match.paths.back(); }),
     .doc = "A path such as /reports, /reports/* or /documents/{id}, or a list of them."},
    {.path = "routes[].match.method[]",
     .type = Type::method,
     .fallback = "~",
     .list = list_in([](S & s) -> auto& { return s.routes.back().match.methods; }, 64, {.word = "~"}),
     .store = into([](S & s) -> auto& { return s.routes.back().match.methods.back(); }),
     .doc = "A method, or a list of them; GET stands for HEAD too."},
    {.path = "routes[].match.host",
     .type = Type::host,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.routes.back().match.host; }),
     .doc = "The Host that was asked for, with any port where none is given."},
    {.path = "routes[].match.header{}",
     .type = Type::text,
     .fallback = "~",
     .word = "~",
     .list =
         map_in([](S & s) -> auto& { return s.routes.back().match.headers; }, 64, Type::token, {.word = "~"}),
     .store = into([](S & s) -> auto& { return s.routes.back().match.headers.back().value; }),
     .doc = "A header field's name, with the value that it must have or ~ for any: {NAME: VALUE}, or NAME "
            "alone."},
    {.path = "routes[].name",
     .type = Type::name,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.routes.back().name; }),
     .doc = "In log and metrics; ~ is made of the first path."},
    {.path = "routes[].limits", .doc = "In addition to the global ones."},
});

constexpr auto kScope = scope_fragment<"routes[].limits">(
    [](S& s) -> ScopeLimits& { return s.routes.back().limits; }, kInherited);

constexpr auto kShape = std::to_array<Field>({
    {.path = "routes[].limits.group",
     .type = Type::name,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.routes.back().limits.group; }),
     .doc = "Routes of one group share one cap and one queue."},
    {.path = "routes[].timeout",
     .type = Type::duration,
     .fallback = "~",
     .range = {"1ms", "24h"},
     .word = "~",
     .store = into([](S & s) -> auto& { return s.routes.back().timeout_total; }),
     .doc = "The total, instead of the global one."},
    {.path = "routes[].methods[]",
     .type = Type::method,
     .fallback = "~",
     .list = list_in([](S & s) -> auto& { return s.routes.back().methods; }, 64, {.word = "~"}),
     .store = into([](S & s) -> auto& { return s.routes.back().methods.back(); }),
     .doc = "Methods that are allowed, others are answered with 405; GET stands for HEAD too."},
    {.path = "routes[].content_types[]",
     .type = Type::media_range,
     .fallback = "~",
     .list = list_in([](S & s) -> auto& { return s.routes.back().content_types; }, 64, {.word = "~"}),
     .store = into([](S & s) -> auto& { return s.routes.back().content_types.back(); }),
     .doc =
         "Types of body that are allowed, as in application/json or image/*; others are answered with 415."},
    {.path = "routes[].params", .doc = "What parameters may be; those that are not named pass as they are."},
});

/// What may be said of one parameter, below `Prefix`. `Place` leads to a Param.
template <Literal Prefix, class Place>
constexpr auto param_fragment(Place) {
    return std::to_array<Field>({
        {.path = below<Prefix, ".int">,
         .type = Type::integer_range,
         .fallback = "~",
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).integer; }),
         .doc = "A whole number within a range such as 1..100, 1.. or ..5."},
        {.path = below<Prefix, ".number">,
         .type = Type::number_range,
         .fallback = "~",
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).number; }),
         .doc = "A number within a range such as 0..1 or -0.5..0.5."},
        {.path = below<Prefix, ".enum[]">,
         .type = Type::text,
         .fallback = "~",
         .list = list_in([](S & s) -> auto& { return Place{}(s).choices; }, 1000, {.word = "~"}),
         .store = into([](S & s) -> auto& { return Place{}(s).choices.back(); }),
         .doc = "One of these words."},
        {.path = below<Prefix, ".len">,
         .type = Type::length_range,
         .fallback = "~",
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).length; }),
         .doc = "Text of so many characters, as in 1..200."},
        {.path = below<Prefix, ".required">,
         .type = Type::boolean,
         .fallback = "false",
         .store = into([](S & s) -> auto& { return Place{}(s).required; }),
         .doc = "Whether a request without it is refused."},
        {.path = below<Prefix, ".default">,
         .type = Type::text,
         .fallback = "~",
         .word = "~",
         .store = into([](S & s) -> auto& { return Place{}(s).fallback; }),
         .doc = "Put in where the request has none."},
        {.path = below<Prefix, ".on_violation">,
         .type = Type::choice,
         .fallback = "reject",
         .choices = {"reject", "clamp"},
         .store = into([](S & s) -> auto& { return Place{}(s).on_violation; }),
         .doc = "reject the request, or clamp a number to the nearest end of its range."},
    });
}

constexpr auto kPathParams =
    std::to_array<Field>({{.path = "routes[].params.path{}",
                           .fallback = "~",
                           .list = map_in([](S & s) -> auto& { return s.routes.back().params.path; },
                                          kMostParams, Type::text, {.word = "~"}),
                           .doc = "Of the path, by the names that the route's patterns give them."}});

constexpr auto kQueryParams =
    std::to_array<Field>({{.path = "routes[].params.query{}",
                           .fallback = "~",
                           .list = map_in([](S & s) -> auto& { return s.routes.back().params.query; },
                                          kMostParams, Type::text, {.word = "~"}),
                           .doc = "Of the query, by name."}});

constexpr auto kRows = concatenated(
    kMatch, kScope, kShape, kPathParams, param_fragment<"routes[].params.path{}">([](S& s) -> Param& {
        return s.routes.back().params.path.back();
    }),
    kQueryParams, param_fragment<"routes[].params.query{}">([](S& s) -> Param& {
        return s.routes.back().params.query.back();
    }));

}  // namespace

std::span<const Field> route_rows() { return kRows; }

}  // namespace weir::config
