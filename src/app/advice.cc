#include "app/advice.h"

#include <fmt/format.h>

namespace weir::app {

namespace {

using http::Reason;
using proxy::NotableRequest;
using Text = NotableRequest::Text;

/// "limits.queue.size", or the same of the route that it took.
std::string limit_of(const NotableRequest& request, std::string_view key) {
    const std::string_view route = request.text(Text::route);
    if (route.empty()) return fmt::format("`limits.{}`", key);
    return fmt::format("`limits.{0}`, or that of the route `{1}` where it has its own", key, route);
}

std::string about_rate(const NotableRequest& request) {
    return fmt::format(
        "The rate `{}` decided; it is written under `limits.rate` or in a route. If this client is to have "
        "more, raise it there, or watch a larger one under `shadow` first; `/clients` shows who asks how "
        "often.",
        request.text(Text::rule));
}

std::string about_queue(const NotableRequest& request, std::string_view key) {
    return fmt::format(
        "The cap `{}` was full. Raise `limits.concurrency` if the app bears more at once, else {}; `/stats` "
        "shows how long the app takes.",
        request.text(Text::rule), limit_of(request, key));
}

std::string about_app(const NotableRequest& request, std::string_view what) {
    const std::string_view server = request.text(Text::server);
    if (server.empty()) return fmt::format("Look at the app: {}.", what);
    return fmt::format("Look at the app at {}: {}.", server, what);
}

std::string about_route(const NotableRequest& request, std::string_view key) {
    const std::string_view route = request.text(Text::route);
    if (route.empty()) return {};
    return fmt::format("`{}` of the route `{}` says what it takes; `weir explain` shows it.", key, route);
}

std::string about_refusal(const NotableRequest& request, Reason reason) {
    switch (reason) {
        case Reason::bad_request: return "It is the client that has to change; `detail` says what.";
        case Reason::invalid_parameter: return about_route(request, "params");
        case Reason::no_route:
        case Reason::misdirected: return "`weir explain` shows which route a request takes.";
        case Reason::method_not_allowed: return about_route(request, "methods");
        case Reason::header_timeout: return "`timeout.header` is how long a head may take.";
        case Reason::body_timeout:
            return "`limits.min_rate`, `timeout.stall` and `timeout.total` say how slow an upload may be.";
        case Reason::body_too_large: return "The bound is " + limit_of(request, "body") + ".";
        case Reason::uri_too_long: return "The bound is `limits.uri`.";
        case Reason::unsupported_media_type: return about_route(request, "content_types");
        case Reason::header_too_large: return "The bounds are `limits.header` and `limits.headers`.";
        case Reason::rate_limited: return about_rate(request);
        case Reason::upstream_connect:
            return about_app(request,
                             "does it run, listen there, and speak http or https as `upstream` says? "
                             "`upstream.tls` says which certificates are trusted, `timeout.connect` bounds "
                             "each try");
        case Reason::upstream_reset:
            return about_app(request,
                             "it crashed, expects https, or closes connections that it is still asked on");
        case Reason::upstream_protocol:
            return about_app(request, "`detail` says what was wrong with its answer");
        case Reason::upstream_unavailable:
            return "Look whether the app runs and listens where `upstream` says, and in the diagnostic log "
                   "at what its checks found; `upstream.hold` is how long requests wait for it.";
        case Reason::upstream_stall:
            return about_app(request, "`timeout.stall` is how long it may be silent");
        case Reason::deadline:
            return "The time is `timeout.total`, the `timeout` of the route, or what the client asked for "
                   "itself; `queue_ms` is what of it went by in the queue.";
        case Reason::queue_full: return about_queue(request, "queue.size");
        case Reason::queue_timeout:
        case Reason::predicted_wait: return about_queue(request, "queue.wait");
        case Reason::overloaded:
            return "The bound is `limits.memory`; `buffers.request` and `buffers.response` are what one "
                   "request holds.";
        case Reason::expectation_failed:
        case Reason::not_implemented:
        case Reason::version_not_supported:
        case Reason::draining: return {};
    }
    return {};
}

std::string about_cut(const NotableRequest& request) {
    const std::string_view cut = request.text(Text::cut);
    if (cut == "client_gone")
        return "The client left before it had everything: it may have lost its patience.";
    if (cut == "client_stalled") return "The client took nothing for as long as `timeout.stall` says.";
    if (cut == "client_too_slow") return "The client was slower than `limits.min_rate`.";
    if (cut == "deadline")
        return "The answer had begun and took longer than `timeout.total`, or the `timeout` of its route: "
               "downloads and event streams need one that is long enough.";
    return about_app(request, "it broke off its answer");
}

}  // namespace

std::string advice_for(const NotableRequest& request) {
    if (request.refusal) return about_refusal(request, *request.refusal);
    if (!request.text(Text::cut).empty()) return about_cut(request);
    if (!request.text(Text::shadow).empty())
        return "Nothing was refused: rules in shadow would have. `mode: enforce` makes them real.";
    if (request.queue > request.total / 2)
        return "Most of its time went by in the queue: see `limits.concurrency`.";
    if (request.hold > request.total / 2)
        return "Most of its time it waited for an app that could not be reached: see `upstream.hold`.";
    if (request.slow)
        return about_app(request, "most of the time went by there. `log.slow` is what counts as slow");
    return {};
}

}  // namespace weir::app
