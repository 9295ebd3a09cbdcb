#include "net/tls_setup.h"

#include <openssl/ssl.h>

namespace weir::net {

void FreeContext::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

OwnedContext make_context(const SSL_METHOD* method) {
    OwnedContext made(needed(SSL_CTX_new(method)));
    SSL_CTX* context = made.get();
    needed(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION));
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // An idle connection holds no buffers.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // A record's head and its payload in one system call.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_max_early_data(context, 0);
    return made;
}

}  // namespace weir::net
