#include "app/listening.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::app {

Result<std::unique_ptr<Listening>> ListeningSet::open(const config::Listen& listen) const {
    auto made = std::make_unique<Listening>();
    made->configured = listen;
    Endpoint address = listen.address;
    const bool one_each = workers_ > 1 && !address.is_unix();
    if (one_each) {
        // Sockets that share a port would also share it with another process: this one tells.
        auto alone = net::listen_on(address, {});
        if (!alone) return fail(alone.error());
    }
    for (size_t each = 0; each < (one_each ? workers_ : 1); ++each) {
        auto socket = net::listen_on(address, {.unix_mode = listen.mode, .share_port = one_each});
        if (!socket) return fail(socket.error());
        if (address.is_unix()) made->files.emplace_back(address.path);
        if (!address.is_unix()) address.port = net::SocketAddress::local_of(*socket).port();
        made->sockets.push_back(std::move(*socket));
    }
    return made;
}

Result<ListeningSet::Change> ListeningSet::prepare(const std::vector<config::Listen>& wanted) const {
    Change change;
    for (const auto& listening : all_) {
        const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const config::Listen& each) {
            return each.address == listening->configured.address;
        });
        if (!stays && listening->closing == 0) change.closing.push_back(listening.get());
    }
    for (const config::Listen& listen : wanted) {
        const auto former = std::find_if(all_.begin(), all_.end(), [&](const auto& listening) {
            return listening->configured.address == listen.address;
        });
        if (former != all_.end()) {
            change.staying.emplace_back(former->get(), listen);
            continue;
        }
        auto opened = open(listen);
        if (!opened) return fail(opened.error());
        change.opened.push_back(std::move(*opened));
    }
    return change;
}

void ListeningSet::add(std::vector<std::unique_ptr<Listening>> opened) {
    std::move(opened.begin(), opened.end(), std::back_inserter(all_));
}

void ListeningSet::end_close(uint64_t closing) {
    std::erase_if(all_, [&](const auto& each) { return each->closing == closing; });
}

std::vector<std::string> ListeningSet::addresses() const {
    std::vector<std::string> texts;
    for (const auto& listening : all_)
        texts.push_back(net::SocketAddress::local_of(listening->sockets.front()).text());
    return texts;
}

}  // namespace weir::app
