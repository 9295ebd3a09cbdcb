#include "net/tls_files.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "net/tls_setup.h"

namespace weir::net {

namespace {

using File = TlsFileProblem::File;
using Weight = TlsFileProblem::Weight;
using Problem = std::optional<TlsFileProblem>;

struct CloseFile {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using OwnedKey = std::unique_ptr<EVP_PKEY, FreeKey>;

TlsFileProblem unusable(File file, std::string message, std::string hint = {}) {
    return {.file = file, .weight = Weight::unusable, .message = std::move(message), .hint = std::move(hint)};
}

Problem why_not_open(File file, const std::string& name) {
    if (std::unique_ptr<std::FILE, CloseFile>(std::fopen(name.c_str(), "re"))) return std::nullopt;
    return TlsFileProblem{
        .file = file,
        .weight = Weight::absent,
        .message = fmt::format("cannot read `{}`: {}", name, std::generic_category().message(errno)),
        .hint = {}};
}

/// What OpenSSL has against a file of `kind` that can be opened.
TlsFileProblem why_not_usable(File file, const std::string& name, const char* kind) {
    const unsigned long code = ERR_peek_error();
    const char* reason = ERR_reason_error_string(code);
    const bool holds_none =
        ERR_GET_LIB(code) == ERR_LIB_PEM || ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER || reason == nullptr ||
        (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND);
    if (holds_none)
        return unusable(file, fmt::format("there is no {} in `{}`", kind, name), "it has to be PEM");
    return unusable(file, fmt::format("the {} in `{}` cannot be used: {}", kind, name, reason));
}

Problem use_certificate(SSL_CTX* context, const std::string& name) {
    if (auto problem = why_not_open(File::certificate, name)) return problem;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, name.c_str()) == 1) return std::nullopt;
    return why_not_usable(File::certificate, name, "certificate");
}

/// Called where a key is encrypted: without it OpenSSL would ask on the terminal.
int refuse_passphrase(char*, int, int, void* was_asked) noexcept {
    *static_cast<bool*>(was_asked) = true;
    return -1;
}

Problem use_key(SSL_CTX* context, const TlsFiles& files) {
    if (auto problem = why_not_open(File::key, files.key)) return problem;
    std::unique_ptr<std::FILE, CloseFile> file(std::fopen(files.key.c_str(), "re"));
    bool is_encrypted = false;
    ERR_clear_error();
    OwnedKey key(file ? PEM_read_PrivateKey(file.get(), nullptr, &refuse_passphrase, &is_encrypted)
                      : nullptr);
    if (is_encrypted)
        return unusable(File::key, fmt::format("the key in `{}` is encrypted with a passphrase", files.key),
                        "`openssl pkey -in OLD -out NEW` writes one that is not; guard it by its mode");
    if (!key) return why_not_usable(File::key, files.key, "private key");
    const X509* certificate = SSL_CTX_get0_certificate(context);
    if (certificate == nullptr) return std::nullopt;  // which has been told of
    if (X509_check_private_key(certificate, key.get()) != 1)
        return unusable(File::key, fmt::format("the key in `{}` is not the one of the certificate in `{}`",
                                               files.key, files.certificate));
    if (SSL_CTX_use_PrivateKey(context, key.get()) == 1) return std::nullopt;
    return why_not_usable(File::key, files.key, "private key");
}

Problem use_client_ca(SSL_CTX* context, const std::string& name) {
    if (name.empty()) return std::nullopt;
    if (auto problem = why_not_open(File::client_ca, name)) return problem;
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(context, name.c_str()) != 1)
        return why_not_usable(File::client_ca, name, "certificate");
    SSL_CTX_set_client_CA_list(context, needed(SSL_load_client_CA_file(name.c_str())));
    // As with the app's: whoever is named there is trusted, be it an authority in the middle.
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN);
    return std::nullopt;
}

Problem why_not_valid(const X509* certificate, const std::string& name, WallTime now) {
    std::time_t seconds = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
    const bool has_expired = X509_cmp_time(X509_get0_notAfter(certificate), &seconds) < 0;
    const bool is_early = X509_cmp_time(X509_get0_notBefore(certificate), &seconds) > 0;
    if (!has_expired && !is_early) return std::nullopt;
    return TlsFileProblem{.file = File::certificate,
                          .weight = Weight::risk,
                          .message = fmt::format("the certificate in `{}` {}: clients will refuse it", name,
                                                 has_expired ? "has expired" : "is not valid yet"),
                          .hint = {}};
}

Problem why_not_safe(const std::string& key) {
    struct stat status {};
    if (stat(key.c_str(), &status) != 0 || (status.st_mode & (S_IROTH | S_IWOTH)) == 0) return std::nullopt;
    return TlsFileProblem{.file = File::key,
                          .weight = Weight::risk,
                          .message = fmt::format("everybody on this machine can read the key in `{}`", key),
                          .hint = fmt::format("`chmod 600 {}`, or 640 with a group of its own", key)};
}

}  // namespace

std::vector<TlsFileProblem> use_tls_files(SSL_CTX* context, const TlsFiles& files) {
    std::vector<TlsFileProblem> problems;
    if (auto problem = use_certificate(context, files.certificate)) problems.push_back(std::move(*problem));
    if (auto problem = use_key(context, files)) problems.push_back(std::move(*problem));
    if (auto problem = use_client_ca(context, files.client_ca)) problems.push_back(std::move(*problem));
    return problems;
}

std::vector<TlsFileProblem> look_at_tls_files(const TlsFiles& files, WallTime now) {
    const OwnedContext context = make_context(TLS_server_method());
    auto problems = use_tls_files(context.get(), files);
    const X509* certificate = SSL_CTX_get0_certificate(context.get());
    if (certificate != nullptr)
        if (auto problem = why_not_valid(certificate, files.certificate, now))
            problems.push_back(std::move(*problem));
    if (auto problem = why_not_safe(files.key)) problems.push_back(std::move(*problem));
    return problems;
}

}  // namespace weir::net
