#include "proxy/arrival_figures.h"

namespace weir::proxy {

std::string_view name_of(HandshakeFailure failure) {
    switch (failure) {
        case HandshakeFailure::plain_http: return "plain_http";
        case HandshakeFailure::not_tls: return "not_tls";
        case HandshakeFailure::too_old: return "too_old";
        case HandshakeFailure::unlike: return "unlike";
        case HandshakeFailure::no_certificate: return "no_certificate";
        case HandshakeFailure::untrusted: return "untrusted";
        case HandshakeFailure::expired: return "expired";
        case HandshakeFailure::refused: return "refused";
        case HandshakeFailure::ended: return "ended";
        case HandshakeFailure::timeout: return "timeout";
        case HandshakeFailure::broken: return "broken";
    }
    return {};
}

std::string_view name_of(ProxyHeaderFailure failure) {
    switch (failure) {
        case ProxyHeaderFailure::malformed: return "malformed";
        case ProxyHeaderFailure::untrusted: return "untrusted";
        case ProxyHeaderFailure::ended: return "ended";
        case ProxyHeaderFailure::timeout: return "timeout";
    }
    return {};
}

HandshakeFailure failure_of(const net::TlsFault& fault) {
    using Kind = net::TlsFault::Kind;
    switch (fault.kind) {
        case Kind::untrusted:
        case Kind::other_name: return HandshakeFailure::untrusted;
        case Kind::expired:
        case Kind::not_yet_valid: return HandshakeFailure::expired;
        case Kind::not_tls: return HandshakeFailure::not_tls;
        case Kind::too_old: return HandshakeFailure::too_old;
        case Kind::no_certificate: return HandshakeFailure::no_certificate;
        case Kind::unlike: return HandshakeFailure::unlike;
        case Kind::refused: return HandshakeFailure::refused;
        case Kind::ended: return HandshakeFailure::ended;
        case Kind::none:
        case Kind::broken: return HandshakeFailure::broken;
    }
    return HandshakeFailure::broken;
}

}  // namespace weir::proxy
