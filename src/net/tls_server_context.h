// weir as the server of TLS connections: certificates by name, client certificates, tickets, ALPN.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/tls_files.h"
#include "net/tls_names.h"
#include "net/tls_session.h"
#include "net/tls_setup.h"
#include "net/tls_ticket_keys.h"

namespace weir::net {

/// TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3. Does not change once it is made;
/// any thread. Its sessions keep it.
class TlsServerContext : public std::enable_shared_from_this<TlsServerContext> {
    struct Private {
        explicit Private() = default;
    };

  public:
    struct Options {
        /// At least one. The client's server_name (RFC 6066, 3) chooses among the names that the certificates
        /// are for (subjectAltName); the first one is for those who ask for none of them, or for nothing.
        std::vector<TlsFiles> files;
        /// What is spoken inside, the best first (RFC 7301): a client that offers some, and none of these, is
        /// refused. One that offers nothing is taken to mean HTTP/1.1.
        std::vector<std::string> protocols = {"http/1.1"};
    };
    explicit TlsServerContext(Private) {}
    /// The error names the file and the cause. `keys` outlives the sessions.
    static Result<std::shared_ptr<const TlsServerContext>> load(const Options& options,
                                                                const TlsTicketKeys& keys);

    /// Which of Options::files is for a client that asks for this name, or for "", none.
    [[nodiscard]] size_t chosen_by(std::string_view name) const { return names_.find(name).value_or(0); }
    /// Whether a connection that shook hands for `chosen` has shown all that `host`, a name with or without a
    /// port, asks for.
    [[nodiscard]] bool admits(size_t chosen, std::string_view host) const;
    /// Of a connection that was just accepted.
    [[nodiscard]] std::unique_ptr<TlsSession> session() const;

  private:
    friend class TlsSession;
    struct Identity {
        OwnedContext context;
        std::string client_ca;
        int least_version;
    };
    [[nodiscard]] bool admits(const SSL_CTX* context, std::string_view host) const;
    Result<bool> add(const TlsFiles& files);
    void set_up(SSL_CTX* context);
    void choose(SSL* ssl) const;
    [[nodiscard]] std::pair<const unsigned char*, unsigned char> choose_protocol(
        std::string_view offered) const;
    static const TlsServerContext& of(const SSL* ssl);
    static int on_hello(SSL* ssl, int* alert, void* context) noexcept;
    static int on_protocols(SSL* ssl, const unsigned char** chosen, unsigned char* length,
                            const unsigned char* offered, unsigned offered_length, void*) noexcept;
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int seals) noexcept;

    std::vector<Identity> identities_;
    std::vector<std::string> protocols_;
    TlsNames names_;
    bool guards_differ_ = false;  ///< some names ask for other client certificates than others
    const TlsTicketKeys* keys_ = nullptr;
};

/// What new connections at one address are made of. Any thread.
class TlsDoor {
  public:
    explicit TlsDoor(std::shared_ptr<const TlsServerContext> context) : context_(std::move(context)) {}

    [[nodiscard]] std::shared_ptr<const TlsServerContext> context() const {
        std::lock_guard lock(mutex_);
        return context_;
    }
    /// Those that exist keep theirs.
    void change(std::shared_ptr<const TlsServerContext> context) {
        std::lock_guard lock(mutex_);
        context_.swap(context);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const TlsServerContext> context_;
};

}  // namespace weir::net
