#include "proxy/turned_away.h"

#include "http/authority.h"

namespace weir::proxy {

namespace {

TurnedAway refused(http::Reason reason, std::string_view detail) {
    return {.location = {}, .reason = reason, .detail = detail};
}

TurnedAway sent_on(const http::RequestHead& request, uint16_t port) {
    const std::string_view host = http::plain_host_of(request.authority);
    if (host.empty() || !request.path_and_query.starts_with('/'))
        return refused(http::Reason::bad_request, "there is no host and path to send the request on to");
    constexpr uint16_t kHttps = 443;
    std::string location = "https://";
    location += host;
    if (port != kHttps) location += ":" + std::to_string(port);
    location += request.path_and_query;
    return {.location = std::move(location)};
}

}  // namespace

std::optional<TurnedAway> turned_away(const WayIn& way, const http::RequestHead& head) {
    if (way.entrance.tls != nullptr && !way.is_tls)
        return refused(http::Reason::bad_request,
                       "this is a port for https, and the request came in plain HTTP");
    // Where a trusted proxy says that its client came by https, there is nothing to send it on to.
    if (way.entrance.redirect_https && way.scheme != "https")
        return sent_on(head, *way.entrance.redirect_https);
    if (way.is_admitted) return std::nullopt;
    return refused(http::Reason::misdirected,
                   "this host asks for another client certificate than the name that TLS was set up for");
}

}  // namespace weir::proxy
