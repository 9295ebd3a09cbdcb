// The files that make weir a TLS server at one name: certificate, key, and whom clients have to be vouched
// for by. Read when weir starts, when it is asked to look at them, and when it reloads.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::net {

enum class TlsVersion : uint8_t { tls12, tls13 };

struct TlsFiles {
    std::string certificate;  ///< PEM: the certificate, then those between it and its authority
    std::string key;          ///< PEM, without a passphrase
    std::string client_ca;    ///< PEM: whoever is named there vouches for clients; empty: they show nothing
    TlsVersion least = TlsVersion::tls12;
};

struct TlsFileProblem {
    enum class File : uint8_t { certificate, key, client_ca };
    enum class Weight : uint8_t {
        risk,      ///< it can be served with, and should be looked at
        absent,    ///< it cannot be read, which may be otherwise where weir will run
        unusable,  ///< nothing can be served with it
    };
    File file;
    Weight weight;
    std::string message;  ///< names the file
    std::string hint;     ///< may be empty
};

/// Reads them into a context of the server's role. The first thing for each file that stands in the way; with
/// none the context is ready.
[[nodiscard]] std::vector<TlsFileProblem> use_tls_files(SSL_CTX* context, const TlsFiles& files);

/// The same for its problems alone, and what is a risk at `now`: a certificate that is not valid, a key that
/// anybody can read.
[[nodiscard]] std::vector<TlsFileProblem> look_at_tls_files(const TlsFiles& files, WallTime now);

}  // namespace weir::net
