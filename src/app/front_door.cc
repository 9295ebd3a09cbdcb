#include "app/front_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::app {

namespace {
using OwnedServerContext = std::shared_ptr<const net::TlsServerContext>;

/// Whether connections find the same there, certificates aside.
bool is_same_entrance(const config::Listen& a, const config::Listen& b) {
    return a.address == b.address && a.proxy_protocol == b.proxy_protocol &&
           a.redirect_https == b.redirect_https && a.http2 == b.http2 && a.tls.empty() == b.tls.empty();
}
}  // namespace

net::TlsFiles tls_files_of(const config::Certificate& certificate) {
    return {.certificate = certificate.certificate,
            .key = certificate.key,
            .client_ca = certificate.client_ca,
            .least = certificate.min_version == config::TlsVersion::tls13 ? net::TlsVersion::tls13
                                                                          : net::TlsVersion::tls12};
}

Result<OwnedServerContext> load_tls(const config::Listen& listen, const net::TlsTicketKeys& keys) {
    net::TlsServerContext::Options options;
    for (const config::Certificate& certificate : listen.tls)
        options.files.push_back(tls_files_of(certificate));
    if (listen.http2) options.protocols.insert(options.protocols.begin(), "h2");
    auto loaded = net::TlsServerContext::load(options, keys);
    if (!loaded) return fail(fmt::format("TLS at {}: {}", to_string(listen.address), loaded.error()));
    return loaded;
}

proxy::Entrance entrance_of(const config::Listen& listen, const net::TlsDoor* tls) {
    return {.has_proxy_header = listen.proxy_protocol,
            .redirect_https = listen.redirect_https,
            .speaks_http2 = listen.http2,
            .tls = tls};
}

FrontDoor::FrontDoor(Private, net::Loop& loop) : key_timer_(loop.timers(), &FrontDoor::on_key_age, this) {}

Result<std::unique_ptr<FrontDoor>> FrontDoor::open(const config::Settings& settings, net::Loop& loop) {
    auto made = std::make_unique<FrontDoor>(Private(), loop);
    auto change = made->prepare(settings.listen);
    if (!change) return fail(change.error());
    made->change(std::move(*change));
    made->key_timer_.arm(loop.now() + kKeyLife);
    return made;
}

Result<FrontDoor::Change> FrontDoor::prepare(const std::vector<config::Listen>& wanted) const {
    Change change;
    for (const config::Listen& listen : wanted) {
        change.emplace_back(listen, nullptr);
        if (listen.tls.empty()) continue;
        auto context = load_tls(listen, keys_);
        if (!context) return fail(context.error());
        change.back().second = std::move(*context);
    }
    return change;
}

void FrontDoor::change(Change&& change) {
    std::vector<std::shared_ptr<Door>> next;
    for (auto& [listen, context] : change) {
        std::shared_ptr<Door> door = find(listen);
        if (!door) {
            door = std::make_shared<Door>();
            door->listen = listen;
            if (context) door->tls.emplace(std::move(context));
            door->entrance = entrance_of(listen, door->tls ? &*door->tls : nullptr);
        } else if (context) {
            door->tls->change(std::move(context));
        }
        next.push_back(std::move(door));
    }
    doors_ = std::move(next);
}

/// Null where no address does the same.
std::shared_ptr<FrontDoor::Door> FrontDoor::find(const config::Listen& listen) const {
    const auto found = std::find_if(doors_.begin(), doors_.end(),
                                    [&](const auto& door) { return is_same_entrance(door->listen, listen); });
    return found == doors_.end() ? nullptr : *found;
}

proxy::SharedEntrance FrontDoor::entrance(const config::Listen& listen) const {
    const std::shared_ptr<Door> door = find(listen);
    return {door, &door->entrance};
}

void FrontDoor::on_key_age(void* front_door, Time now) {
    auto& self = *static_cast<FrontDoor*>(front_door);
    self.keys_.rotate();
    self.key_timer_.arm(now + kKeyLife);
}

}  // namespace weir::app
