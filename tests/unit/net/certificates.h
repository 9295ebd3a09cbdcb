// Certificates made on the spot, and the app's end of a TLS connection. Times of validity are the system's.
#pragma once

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <string>

#include "net/tls_session.h"

namespace weir::net {

template <auto kFree>
struct FreeWith {
    template <class T>
    void operator()(T* made) const {
        kFree(made);
    }
};
using OwnedKey = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;
using OwnedCertificate = std::unique_ptr<X509, FreeWith<&X509_free>>;
using OwnedServerContext = std::unique_ptr<SSL_CTX, FreeWith<&SSL_CTX_free>>;

struct Identity {
    OwnedKey key;
    OwnedCertificate certificate;
};

struct CertificateFacts {
    std::string names;  ///< as subjectAltName is written: "DNS:app.test,IP:127.0.0.1"; empty for none
    const Identity* issuer = nullptr;  ///< null: itself
    bool is_ca = false;
    long from_seconds = -3600;  ///< beside now
    long to_seconds = 3600;
};

inline void add_extension(X509* certificate, int id, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    REQUIRE(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

inline Identity make_identity(const std::string& common_name, const CertificateFacts& facts) {
    static long serial = 1;
    Identity made{OwnedKey(EVP_EC_gen("P-256")), OwnedCertificate(X509_new())};
    X509* certificate = made.certificate.get();
    REQUIRE(made.key);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), facts.from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate), facts.to_seconds);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    const Identity& issuer = facts.issuer == nullptr ? made : *facts.issuer;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
    add_extension(certificate, NID_basic_constraints, facts.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!facts.names.empty()) add_extension(certificate, NID_subject_alt_name, facts.names);
    REQUIRE(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0);
    return made;
}

inline void write_pem(const std::string& file, const Identity& identity) {
    std::FILE* out = std::fopen(file.c_str(), "w");
    REQUIRE(out != nullptr);
    REQUIRE(PEM_write_X509(out, identity.certificate.get()) == 1);
    std::fclose(out);
}

inline void write_key(const std::string& file, const Identity& identity, const char* passphrase = nullptr) {
    std::FILE* out = std::fopen(file.c_str(), "w");
    REQUIRE(out != nullptr);
    const EVP_CIPHER* cipher = passphrase == nullptr ? nullptr : EVP_aes_128_cbc();
    REQUIRE(PEM_write_PrivateKey(out, identity.key.get(), cipher, nullptr, 0, nullptr,
                                 const_cast<char*>(passphrase)) == 1);
    std::fclose(out);
    REQUIRE(chmod(file.c_str(), 0600) == 0);
}

/// The other side's settings. `newest`: TLS1_2_VERSION, or TLS1_3_VERSION.
inline OwnedServerContext serve_with(const Identity& identity, int newest = TLS1_3_VERSION) {
    OwnedServerContext made(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = made.get();
    SSL_CTX_set_max_proto_version(context, newest);
    REQUIRE(SSL_CTX_use_certificate(context, identity.certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context, identity.key.get()) == 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    return made;
}

inline std::unique_ptr<TlsSession> server_session(SSL_CTX* context) {
    OwnedSsl ssl(SSL_new(context));
    SSL_set_accept_state(ssl.get());
    return std::make_unique<TlsSession>(std::move(ssl));
}

}  // namespace weir::net
