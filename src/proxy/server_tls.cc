#include "proxy/server_tls.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace weir::proxy {

ServerTls::ServerTls(std::shared_ptr<const net::TlsClientContext> context, std::string server,
                     std::string name)
    : context_(std::move(context)), server_(std::move(server)), name_(std::move(name)) {}

std::string ServerTls::describe(const net::TlsFault& fault) const {
    switch (fault.kind) {
        case net::TlsFault::Kind::none: return {};
        case net::TlsFault::Kind::untrusted:
            return fmt::format("the app's certificate is not trusted: {}", fault.cause);
        case net::TlsFault::Kind::other_name:
            return fmt::format("the app's certificate is for another name than {}", name_);
        case net::TlsFault::Kind::expired: return "the app's certificate has expired";
        case net::TlsFault::Kind::not_yet_valid: return "the app's certificate is not valid yet";
        case net::TlsFault::Kind::not_tls: return "the app does not speak TLS";
        case net::TlsFault::Kind::too_old: return "the app speaks no TLS of version 1.2 or later";
        case net::TlsFault::Kind::refused: return fmt::format("the app refuses TLS: {}", fault.cause);
        case net::TlsFault::Kind::ended: return "the app closed the connection during the TLS handshake";
        case net::TlsFault::Kind::broken: return fmt::format("TLS to the app is broken: {}", fault.cause);
    }
    return {};
}

void ServerTls::note_failure(const std::string& description) {
    std::lock_guard lock(mutex_);
    if (last_failure_ == description) return;
    last_failure_ = description;
    is_failing_ = true;
    log::warning("{}: {}", server_, description);
}

void ServerTls::note_success() {
    if (!is_failing_.load(std::memory_order_relaxed)) return;
    std::lock_guard lock(mutex_);
    if (!is_failing_.exchange(false)) return;
    last_failure_.clear();
    log::info("{}: TLS to the app is well again", server_);
}

}  // namespace weir::proxy
