#include "net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace weir::net {

namespace {

/// In the wire's form: a length in front of each name (RFC 7301, 3.1).
constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int on_ticket(SSL* ssl, SSL_SESSION* ticket) noexcept {
    static_cast<TlsTickets*>(SSL_get_app_data(ssl))->keep(OwnedTicket(ticket));
    return 1;  // it is ours
}

std::string why_not_readable(const std::string& file) {
    if (!std::ifstream(file)) return std::generic_category().message(errno);
    const unsigned long code = ERR_peek_error();
    const char* reason = ERR_reason_error_string(code);
    const bool holds_none = ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND ||
                            ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_FOUND || reason == nullptr;
    return holds_none ? "there is no certificate in it" : reason;
}

}  // namespace

const char* tls_library_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

Result<TlsClientContext> TlsClientContext::load(const Options& options) {
    OwnedContext made = make_context(TLS_client_method());
    SSL_CTX* context = made.get();
    if (SSL_CTX_set_alpn_protos(context, kHttp11.data(), kHttp11.size()) != 0) throw std::bad_alloc();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &on_ticket);
    if (!options.verify) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
        return TlsClientContext(std::move(made));
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (options.ca.empty()) {
        needed(SSL_CTX_set_default_verify_paths(context));
        return TlsClientContext(std::move(made));
    }
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1)
        return fail(
            fmt::format("cannot read the certificates in {}: {}", options.ca, why_not_readable(options.ca)));
    // Whoever is named there is trusted, be it the app's own certificate or one in the middle.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    return TlsClientContext(std::move(made));
}

std::unique_ptr<TlsSession> TlsClientContext::session(const std::string& name, TlsTickets& tickets) const {
    OwnedSsl made(needed(SSL_new(context_.get())));
    SSL* ssl = made.get();
    SSL_set_connect_state(ssl);
    SSL_set_app_data(ssl, &tickets);
    X509_VERIFY_PARAM* verified = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(
        verified, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(verified, name.c_str()) != 1) {
        std::string host = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
        needed(X509_VERIFY_PARAM_set1_host(verified, host.data(), host.size()));
        // SSL_set_tlsext_host_name, which is a macro with an old-style cast.
        needed(SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()));
    }
    if (OwnedTicket ticket = tickets.take()) SSL_set_session(ssl, ticket.get());
    return std::make_unique<TlsSession>(std::move(made));
}

}  // namespace weir::net
