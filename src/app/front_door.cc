#include "app/front_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::app {

namespace {
using OwnedServerContext = std::shared_ptr<const net::TlsServerContext>;
}

net::TlsFiles tls_files_of(const config::Certificate& certificate) {
    return {.certificate = certificate.certificate,
            .key = certificate.key,
            .client_ca = certificate.client_ca,
            .least = certificate.min_version == config::TlsVersion::tls13 ? net::TlsVersion::tls13
                                                                          : net::TlsVersion::tls12};
}

FrontDoor::FrontDoor(Private, net::Loop& loop) : key_timer_(loop.timers(), &FrontDoor::on_key_age, this) {}

Result<std::unique_ptr<FrontDoor>> FrontDoor::open(const config::Settings& settings, net::Loop& loop) {
    auto made = std::make_unique<FrontDoor>(Private(), loop);
    for (const config::Listen& listen : settings.listen) {
        Door& door = made->doors_.emplace_back();
        door.address = listen.address;
        door.entrance = {.has_proxy_header = listen.proxy_protocol,
                         .redirect_https = listen.redirect_https,
                         .tls = nullptr};
        if (listen.tls.empty()) continue;
        auto context = made->load(listen);
        if (!context) return fail(context.error());
        door.entrance.tls = &door.tls.emplace(std::move(*context));
    }
    made->key_timer_.arm(loop.now() + kKeyLife);
    return made;
}

Result<OwnedServerContext> FrontDoor::load(const config::Listen& listen) const {
    net::TlsServerContext::Options options;
    for (const config::Certificate& certificate : listen.tls)
        options.files.push_back(tls_files_of(certificate));
    auto loaded = net::TlsServerContext::load(options, keys_);
    if (!loaded) return fail(fmt::format("TLS at {}: {}", to_string(listen.address), loaded.error()));
    return loaded;
}

Result<bool> FrontDoor::reload(const config::Settings& settings) {
    std::vector<std::pair<Door*, OwnedServerContext>> changes;
    for (Door& door : doors_) {
        const auto found =
            std::find_if(settings.listen.begin(), settings.listen.end(),
                         [&](const config::Listen& listen) { return listen.address == door.address; });
        if (!door.tls || found == settings.listen.end() || found->tls.empty()) continue;
        auto context = load(*found);
        if (!context) return fail(context.error());
        changes.emplace_back(&door, std::move(*context));
    }
    for (auto& [door, context] : changes) door->tls->change(std::move(context));
    return true;
}

void FrontDoor::on_key_age(void* front_door, Time now) {
    auto& self = *static_cast<FrontDoor*>(front_door);
    self.keys_.rotate();
    self.key_timer_.arm(now + kKeyLife);
}

}  // namespace weir::app
