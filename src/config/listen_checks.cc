#include "config/listen_checks.h"

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

/// Without anybody to believe, every connection would be closed.
void check_proxy_protocol(Findings& findings, const Spot& spot, const Listen& listen) {
    const Settings& settings = findings.settings();
    if (!listen.proxy_protocol || !settings.clients.trusted_proxies.empty() ||
        !findings.are_sound({"clients.trusted_proxies"}))
        return;
    findings.error(spot / "proxy_protocol",
                   fmt::format("{} needs `clients.trusted_proxies`: the PROXY header of anybody else is not "
                               "believed, and the connection closed",
                               findings.name(spot / "proxy_protocol")),
                   "name the addresses of the balancer there; \"::\" is whoever opens a UNIX socket");
}

void check_redirect(Findings& findings, const Spot& spot, const Listen& listen) {
    if (!listen.redirect_https || listen.tls.empty()) return;
    findings.error(spot / "redirect_https",
                   fmt::format("{} sends clients to https, which they speak here already",
                               findings.name(spot / "redirect_https")),
                   "it belongs to an address of its own, as in `{address: :80, redirect_https: 443}`");
}

/// The second would never be chosen: names come from the certificate.
void check_twins(Findings& findings, const Spot& spot, const Listen& listen) {
    for (size_t i = 1; i < listen.tls.size(); ++i) {
        for (size_t former = 0; former < i; ++former) {
            if (listen.tls[former].certificate != listen.tls[i].certificate) continue;
            const Spot twin = (spot / "tls")[i];
            findings.error(twin / "certificate",
                           fmt::format("{}: {} is given twice", findings.name(twin / "certificate"),
                                       quoted(listen.tls[i].certificate)),
                           "remove one");
            break;
        }
    }
}

}  // namespace

void check_listeners(Findings& findings) {
    const Settings& settings = findings.settings();
    for (size_t i = 0; i < settings.listen.size(); ++i) {
        const Spot spot = Spot("listen")[i];
        if (!findings.is_sound(spot)) continue;
        check_proxy_protocol(findings, spot, settings.listen[i]);
        check_redirect(findings, spot, settings.listen[i]);
        check_twins(findings, spot, settings.listen[i]);
    }
}

}  // namespace weir::config
