// What the TLS connections of one role have in common: versions, trust, modes.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/tls_session.h"
#include "net/tls_setup.h"
#include "net/tls_tickets.h"

namespace weir::net {

/// OpenSSL's, as it runs.
[[nodiscard]] const char* tls_library_version();

/// TLS 1.2 and 1.3, without renegotiation, compression and early data, in the role of the client. Does not
/// change once it is made; any thread; outlives the sessions made of it.
class TlsClientContext {
  public:
    struct Options {
        std::string ca;  ///< a file of certificates (PEM) to trust; empty: those that the system trusts
        bool verify = true;
    };
    /// The error names the file and the cause.
    static Result<TlsClientContext> load(const Options& options);

    /// A session still without a socket. `name` is whom the certificate has to be for: a DNS name, which is
    /// also asked for (SNI), or an IP address, which is not (RFC 6066, 3). Only subjectAltName is looked at
    /// (RFC 9525). `tickets` outlives the session, is used for this server and name alone, and gets what the
    /// server gives.
    [[nodiscard]] std::unique_ptr<TlsSession> session(const std::string& name, TlsTickets& tickets) const;

  private:
    explicit TlsClientContext(OwnedContext context) : context_(std::move(context)) {}

    OwnedContext context_;
};

}  // namespace weir::net
