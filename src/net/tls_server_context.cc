#include "net/tls_server_context.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

namespace weir::net {

namespace {

/// Without the ciphers of TLS 1.2 that have no forward secrecy or pad before they authenticate (RFC 9325,
/// 4.2), and with the cheapest first: AES-128 is as far beyond reach as AES-256.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

/// As long as the keys of two changes, an hour each, can open a ticket.
constexpr std::chrono::seconds kTicketLife = std::chrono::hours(2);

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct FreeDigest {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, FreeNames> all(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int index = 0; all && index < sk_GENERAL_NAME_num(all.get()); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), index);
        if (name->type != GEN_DNS) continue;
        const unsigned char* text = ASN1_STRING_get0_data(name->d.dNSName);
        names.emplace_back(text, text + ASN1_STRING_length(name->d.dNSName));
    }
    return names;
}

/// The first host name of the extension server_name, "" where there is none (RFC 6066, 3): a list with its
/// length in front, of a type, 0 for a host name, and a text with its length in front.
std::string_view asked_name(SSL* ssl) {
    const unsigned char* bytes = nullptr;
    size_t length = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) != 1) return {};
    constexpr size_t kHead = 5;
    if (length <= kHead || bytes[2] != TLSEXT_NAMETYPE_host_name) return {};
    const size_t name_length = (size_t{bytes[3]} << 8) | bytes[4];
    if (name_length > length - kHead) return {};
    return {reinterpret_cast<const char*>(bytes) + kHead, name_length};
}

/// Tickets hold among names whose clients have to show the same: one that was vouched for by an authority
/// that is trusted no more is asked again.
void set_ticket_scope(SSL_CTX* context) {
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(needed(EVP_MD_CTX_new()));
    needed(EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr));
    const STACK_OF(X509_OBJECT)* trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    for (int index = 0; index < sk_X509_OBJECT_num(trusted); ++index) {
        const X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, index));
        std::array<unsigned char, EVP_MAX_MD_SIZE> print;
        unsigned length = 0;
        if (certificate == nullptr) continue;
        needed(X509_digest(certificate, EVP_sha256(), print.data(), &length));
        needed(EVP_DigestUpdate(digest.get(), print.data(), length));
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> scope;
    unsigned length = 0;
    needed(EVP_DigestFinal_ex(digest.get(), scope.data(), &length));
    needed(SSL_CTX_set_session_id_context(context, scope.data(),
                                          std::min<unsigned>(length, SSL_MAX_SID_CTX_LENGTH)));
}

constexpr int kTicketRefused = -1;  ///< the handshake fails
constexpr int kTicketUnknown = 0;   ///< a full handshake follows
constexpr int kTicketUsable = 1;
constexpr int kTicketOld = 2;  ///< usable, and the client gets another one

bool set_mac_key(EVP_MAC_CTX* mac, TlsTicketKeys::Key& key) {
    std::array<char, 7> digest{"SHA256"};
    const std::array<OSSL_PARAM, 3> parameters = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

/// Of the host of an authority.
std::string_view without_port(std::string_view authority) {
    const size_t colon = authority.rfind(':');
    const bool is_port =
        colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
    return is_port ? authority.substr(0, colon) : authority;
}

}  // namespace

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::load(const Options& options,
                                                                       const TlsTicketKeys& keys) {
    auto made = std::make_shared<TlsServerContext>(Private());
    made->keys_ = &keys;
    made->protocols_ = options.protocols;
    for (const TlsFiles& files : options.files)
        if (auto added = made->add(files); !added) return fail(added.error());
    const auto& identities = made->identities_;
    made->guards_differ_ = std::any_of(identities.begin(), identities.end(), [&](const Identity& each) {
        return each.client_ca != identities.front().client_ca;
    });
    return std::shared_ptr<const TlsServerContext>(std::move(made));
}

Result<bool> TlsServerContext::add(const TlsFiles& files) {
    OwnedContext made = make_context(TLS_server_method());
    SSL_CTX* context = made.get();
    set_up(context);
    if (auto problems = use_tls_files(context, files); !problems.empty()) return fail(problems[0].message);
    if (!files.client_ca.empty())
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    set_ticket_scope(context);
    for (const std::string& name : names_of(SSL_CTX_get0_certificate(context)))
        names_.add(name, identities_.size());
    identities_.push_back(
        {.context = std::move(made),
         .client_ca = files.client_ca,
         .least_version = files.least == TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION});
    return true;
}

void TlsServerContext::set_up(SSL_CTX* context) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    needed(SSL_CTX_set_cipher_list(context, kCiphers12));
    needed(SSL_CTX_set_ciphersuites(context, kCiphers13));
    needed(SSL_CTX_set1_groups_list(context, kGroups));
    // What a client needs to resume is in its ticket.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, kTicketLife.count());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &on_ticket);
    SSL_CTX_set_client_hello_cb(context, &on_hello, this);
    SSL_CTX_set_alpn_select_cb(context, &on_protocols, nullptr);
}

std::unique_ptr<TlsSession> TlsServerContext::session() const {
    OwnedSsl made(needed(SSL_new(identities_.front().context.get())));
    SSL_set_accept_state(made.get());
    SSL_set_app_data(made.get(), const_cast<TlsServerContext*>(this));  // read through of() alone
    return std::make_unique<TlsSession>(std::move(made), shared_from_this());
}

bool TlsServerContext::admits(size_t chosen, std::string_view host) const {
    if (!guards_differ_) return true;
    return identities_[chosen].client_ca == identities_[chosen_by(without_port(host))].client_ca;
}

bool TlsServerContext::admits(const SSL_CTX* context, std::string_view host) const {
    if (!guards_differ_) return true;
    const auto shown = std::find_if(identities_.begin(), identities_.end(),
                                    [&](const Identity& each) { return each.context.get() == context; });
    return shown != identities_.end() && admits(static_cast<size_t>(shown - identities_.begin()), host);
}

const TlsServerContext& TlsServerContext::of(const SSL* ssl) {
    return *static_cast<const TlsServerContext*>(SSL_get_app_data(ssl));
}

/// Before anything is decided, since what is decided first is the version.
int TlsServerContext::on_hello(SSL* ssl, int*, void* context) noexcept {
    static_cast<const TlsServerContext*>(context)->choose(ssl);
    return SSL_CLIENT_HELLO_SUCCESS;
}

void TlsServerContext::choose(SSL* ssl) const {
    const Identity& chosen = identities_[chosen_by(asked_name(ssl))];
    SSL_CTX* context = chosen.context.get();
    // This changes the certificate, and whom clients have to be vouched for by, but no more.
    if (SSL_get_SSL_CTX(ssl) != context) SSL_set_SSL_CTX(ssl, context);
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), nullptr);
    SSL_set_min_proto_version(ssl, chosen.least_version);
}

std::pair<const unsigned char*, unsigned char> TlsServerContext::choose_protocol(
    std::string_view offered) const {
    for (const std::string& mine : protocols_) {
        for (std::string_view rest = offered; !rest.empty();) {
            const auto length = static_cast<unsigned char>(rest.front());
            const std::string_view theirs = rest.substr(1, length);
            if (theirs == mine) return {reinterpret_cast<const unsigned char*>(theirs.data()), length};
            rest.remove_prefix(std::min(rest.size(), size_t{1} + length));
        }
    }
    return {nullptr, 0};
}

int TlsServerContext::on_protocols(SSL* ssl, const unsigned char** chosen, unsigned char* length,
                                   const unsigned char* offered, unsigned offered_length, void*) noexcept {
    std::tie(*chosen, *length) =
        of(ssl).choose_protocol({reinterpret_cast<const char*>(offered), offered_length});
    return *chosen != nullptr ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsServerContext::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                EVP_MAC_CTX* mac, int seals) noexcept {
    const TlsTicketKeys& keys = *of(ssl).keys_;
    if (seals == 1) {
        TlsTicketKeys::Key key = keys.newest();
        std::copy(key.name.begin(), key.name.end(), name);
        const bool is_sealed =
            RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 &&
            set_mac_key(mac, key);
        return is_sealed ? kTicketUsable : kTicketRefused;
    }
    auto found =
        keys.find(std::span<const unsigned char, TlsTicketKeys::kNameBytes>(name, TlsTicketKeys::kNameBytes));
    if (!found) return kTicketUnknown;
    const bool is_open =
        set_mac_key(mac, found->key) &&
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found->key.cipher.data(), iv) == 1;
    if (!is_open) return kTicketRefused;
    // A client uses a ticket of TLS 1.3 once (RFC 8446, C.4), and would be left without.
    return found->is_newest && SSL_version(ssl) < TLS1_3_VERSION ? kTicketUsable : kTicketOld;
}

}  // namespace weir::net
