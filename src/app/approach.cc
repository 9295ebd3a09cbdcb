#include "app/approach.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/front_door.h"
#include "base/endpoint.h"
#include "http/authority.h"
#include "http/ip_text.h"
#include "http/message.h"
#include "net/tls_ticket_keys.h"
#include "proxy/arrival.h"
#include "proxy/arrival_figures.h"
#include "proxy/identity.h"

namespace weir::app {

namespace {

/// Of the request's URL: "http", "https", or "" where there is none.
std::string_view scheme_of(std::string_view request) {
    const size_t space = request.find(' ');
    const std::string_view target = space == std::string_view::npos ? "" : request.substr(space + 1);
    for (std::string_view scheme : {"http", "https"}) {
        const bool begins = http::equals_ignoring_case(target.substr(0, scheme.size()), scheme);
        if (begins && target.substr(scheme.size()).starts_with("://")) return scheme;
    }
    return {};
}

/// What clients put into server_name for a host: names, and no addresses (RFC 6066, 3).
std::string_view name_asked_for(std::string_view authority) {
    const std::string_view host = http::plain_host_of(authority);
    return host.starts_with('[') || http::ipv4_of(host) ? std::string_view() : host;
}

Result<const config::Listen*> listen_of(const config::Settings& settings, const cli::Question& question) {
    const std::vector<config::Listen>& all = settings.listen;
    if (question.address.empty()) {
        const std::string_view scheme = scheme_of(question.request);
        const auto fits = std::find_if(all.begin(), all.end(), [&](const config::Listen& each) {
            return !scheme.empty() && each.tls.empty() == (scheme == "http");
        });
        return fits == all.end() ? &all.front() : &*fits;
    }
    auto address = parse_endpoint(question.address);
    if (!address) return fail(fmt::format("--at: {}", address.error()));
    const auto named = std::find_if(all.begin(), all.end(),
                                    [&](const config::Listen& each) { return each.address == *address; });
    if (named != all.end()) return &*named;
    std::string texts;
    for (const config::Listen& each : all) texts += (texts.empty() ? "" : ", ") + to_string(each.address);
    return fail(fmt::format("--at {} is not in `listen`, which has {}", question.address, texts));
}

/// Options that say nothing of this address are a mistake of who asks.
std::optional<std::string> misplaced(const config::Listen& listen, const cli::Question& question) {
    const std::string address = to_string(listen.address);
    if (question.server_name && listen.tls.empty())
        return fmt::format("--server-name is for an address with `tls`, which {} has not", address);
    if (question.shows_certificate && listen.tls.empty())
        return fmt::format("--client-certificate is for an address with `tls`, which {} has not", address);
    if (!question.balancer.empty() && !listen.proxy_protocol)
        return fmt::format("--balancer is for an address with `proxy_protocol`, which {} has not", address);
    return std::nullopt;
}

Result<bool> meet_balancer(const config::Settings& settings, const cli::Question& question, Approach& way) {
    if (question.balancer.empty()) {
        way.lines.emplace_back(
            "PROXY header", "of a balancer that clients.trusted_proxies names; of others, none is believed");
        return true;
    }
    auto balancer = parse_ip("--balancer", question.balancer);
    if (!balancer) return fail(balancer.error());
    way.lines.emplace_back("PROXY header", "of " + question.balancer);
    if (!proxy::Identity(settings.clients).trusts(*balancer))
        way.closed = fmt::format("PROXY header {}: {}", name_of(proxy::ProxyHeaderFailure::untrusted),
                                 proxy::Arrival::kUntrustedPeer);
    return true;
}

void shake_hands(const config::Listen& listen, const cli::Question& question, std::string_view host,
                 Approach& way) {
    const net::TlsTicketKeys keys;
    auto loaded = load_tls(listen, keys);
    if (!loaded) {
        way.lines.emplace_back("TLS", "what it asks for is not known here: " + loaded.error());
        return;
    }
    const net::TlsServerContext& context = **loaded;
    const std::string name = question.server_name.value_or(std::string(name_asked_for(host)));
    const size_t chosen = context.chosen_by(name);
    const config::Certificate& certificate = listen.tls[chosen];
    way.is_admitted = context.admits(chosen, host);
    std::string text =
        fmt::format("{}: {}", name.empty() ? "no name is asked for" : name, certificate.certificate);
    if (certificate.min_version == config::TlsVersion::tls13) text += ", TLS 1.3 alone";
    if (!certificate.client_ca.empty())
        text += ", and a client certificate that leads to " + certificate.client_ca;
    way.lines.emplace_back("TLS", std::move(text));
    if (!certificate.client_ca.empty() && !question.shows_certificate)
        way.closed = fmt::format("TLS handshake {}: the client has to show a certificate",
                                 name_of(proxy::HandshakeFailure::no_certificate));
}

std::string_view kind_of(const config::Listen& listen, bool is_tls) {
    if (is_tls) return "over TLS";
    return listen.tls.empty() ? "in plain HTTP" : "in plain HTTP, where TLS is due";
}

}  // namespace

Result<net::IpAddress> parse_ip(std::string_view option, const std::string& text) {
    const auto address = net::SocketAddress::literal({.host = text, .port = 1, .path = {}});
    if (!address) return fail(fmt::format("{} needs an IPv4 or IPv6 address, not `{}`", option, text));
    return net::IpAddress::of(address->get());
}

Result<Approach> approach_of(const config::Settings& settings, const cli::Question& question,
                             std::string_view host) {
    const auto found = listen_of(settings, question);
    if (!found) return fail(found.error());
    const config::Listen& listen = **found;
    if (auto mistake = misplaced(listen, question)) return fail(*mistake);
    Approach way;
    way.is_tls = !listen.tls.empty() && scheme_of(question.request) != "http";
    // Which certificates are behind it is told by shake_hands().
    if (!listen.tls.empty()) way.door = std::make_unique<net::TlsDoor>(nullptr);
    way.entrance = entrance_of(listen, way.door.get());
    way.lines.emplace_back("address",
                           fmt::format("{}, {}", to_string(listen.address), kind_of(listen, way.is_tls)));
    if (listen.proxy_protocol) {
        if (auto met = meet_balancer(settings, question, way); !met) return fail(met.error());
    }
    if (way.is_tls && !way.closed) shake_hands(listen, question, host, way);
    return way;
}

}  // namespace weir::app
