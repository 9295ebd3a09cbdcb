// The rows of the language that say what weir itself writes: into answers, requests and logs.
#include "config/field_rows.h"

namespace weir::config {
namespace {

using S = Settings;

constexpr auto kCors = std::to_array<Field>({
    {.path = "cors",
     .word = "~",
     .shorthand = "origins",
     .doc = "Which pages of other origins may use the app; off where no origin is listed."},
    {.path = "cors.origins[]",
     .type = Type::origin,
     .fallback = "[]",
     .list = list_in([](S & s) -> auto& { return s.cors.origins; }, 1000, {.least = 0}),
     .store = into([](S & s) -> auto& { return s.cors.origins.back(); }),
     .doc = "As browsers send them, as in https://app.example, or * for any; [] is off."},
    {.path = "cors.methods[]",
     .type = Type::method,
     .fallback = "[GET, HEAD, POST]",
     .list = list_in(
         [](S & s) -> auto& { return s.cors.methods; }, 64),
     .store = into([](S & s) -> auto& { return s.cors.methods.back(); }),
     .doc = "Methods that such a page may use."},
    {.path = "cors.headers[]",
     .type = Type::token,
     .fallback = "[]",
     .list = list_in([](S & s) -> auto& { return s.cors.headers; }, 256, {.least = 0}),
     .store = into([](S & s) -> auto& { return s.cors.headers.back(); }),
     .doc = "Fields that it may send beside the ordinary ones; * is any."},
    {.path = "cors.expose[]",
     .type = Type::token,
     .fallback = "[]",
     .list = list_in([](S & s) -> auto& { return s.cors.expose; }, 256, {.least = 0}),
     .store = into([](S & s) -> auto& { return s.cors.expose.back(); }),
     .doc = "Fields of the answer that it may read beside the ordinary ones; * is any."},
    {.path = "cors.credentials",
     .type = Type::boolean,
     .fallback = "false",
     .store = into([](S & s) -> auto& { return s.cors.credentials; }),
     .doc = "Whether it may send cookies and credentials; not with the origin *."},
    {.path = "cors.max_age",
     .type = Type::duration,
     .fallback = "10m",
     .range = {"0s", "1d"},
     .store = into([](S & s) -> auto& { return s.cors.max_age; }),
     .doc = "How long a browser may remember what it was allowed."},
});

constexpr auto kLog = std::to_array<Field>({
    {.path = "log", .doc = "What is written down."},
    {.path = "log.access",
     .type = Type::output,
     .fallback = "stdout",
     .choices = {"stdout", "stderr", "off"},
     .store = into([](S & s) -> auto& { return s.log.access; }),
     .doc = "Where the access log goes."},
    {.path = "log.format",
     .type = Type::choice,
     .fallback = "json",
     .choices = {"json", "combined"},
     .store = into([](S & s) -> auto& { return s.log.format; }),
     .doc = "How an access-log line is written."},
    {.path = "log.level",
     .type = Type::choice,
     .fallback = "info",
     .choices = {"debug", "info", "warning", "error"},
     .store = into([](S & s) -> auto& { return s.log.level; }),
     .doc = "The least severe diagnostic message that is written."},
    {.path = "log.slow",
     .type = Type::duration,
     .fallback = "1s",
     .range = {"0s", "24h"},
     .store = into([](S & s) -> auto& { return s.log.slow; }),
     .doc = "A request that takes this long or longer is marked as slow."},
});

constexpr auto kWritten = std::to_array<Field>({
    {.path = "errors", .doc = "How answers are written that weir makes itself."},
    {.path = "errors.format",
     .type = Type::choice,
     .fallback = "problem",
     .choices = {"problem", "body"},
     .store = into([](S & s) -> auto& { return s.errors.format; }),
     .doc = "problem is JSON by RFC 9457; body is what errors.body says, and need not be given beside it."},
    {.path = "errors.content_type",
     .type = Type::content_type,
     .fallback = "text/plain; charset=utf-8",
     .store = into([](S & s) -> auto& { return s.errors.content_type; }),
     .doc = "The Content-Type of such a body."},
    {.path = "errors.body",
     .type = Type::body,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.errors.body; }),
     .doc = "Text with {status}, {reason}, {detail} and {request_id} in it; other braces are themselves."},

    {.path = "headers", .doc = "Header fields that weir adds."},
    {.path = "headers.rate_limit",
     .type = Type::choice,
     .fallback = "draft",
     .choices = {"draft", "legacy", "both", "off"},
     .store = into([](S & s) -> auto& { return s.headers.rate_limit; }),
     .doc = "In answers: draft is RateLimit and RateLimit-Policy, legacy is X-RateLimit-*, or both or off."},
    {.path = "headers.request_start",
     .type = Type::boolean,
     .fallback = "true",
     .store = into([](S & s) -> auto& { return s.headers.request_start; }),
     .doc = "X-Request-Start to the app: when the request arrived."},
    {.path = "headers.deadline",
     .type = Type::boolean,
     .fallback = "true",
     .store = into([](S & s) -> auto& { return s.headers.deadline; }),
     .doc = "X-Request-Deadline to the app: how long it has left."},

    {.path = "public", .doc = "Paths that weir answers itself, where clients connect."},
    {.path = "public.health",
     .type = Type::path,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.public_paths.health; }),
     .doc = "Says to GET and HEAD whether weir serves (200) or is draining (503); ~ is off."},
    {.path = "public.queue_stats",
     .type = Type::path,
     .fallback = "~",
     .word = "~",
     .store = into([](S & s) -> auto& { return s.public_paths.queue_stats; }),
     .doc = "Says as JSON how full the queue is; ~ is off."},
});

constexpr auto kRows = concatenated(kCors, kLog, kWritten);

}  // namespace

std::span<const Field> answer_rows() { return kRows; }

}  // namespace weir::config
