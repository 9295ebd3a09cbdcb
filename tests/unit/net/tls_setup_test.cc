#include "net/tls_setup.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <new>

namespace weir::net {

TEST_CASE("a context of either role speaks TLS 1.2 at least, and nothing that is known to be weak") {
    for (const SSL_METHOD* method : {TLS_client_method(), TLS_server_method()}) {
        const OwnedContext context = make_context(method);
        REQUIRE(context);
        CHECK(SSL_CTX_get_min_proto_version(context.get()) == TLS1_2_VERSION);
        CHECK(SSL_CTX_get_max_proto_version(context.get()) == 0);  // the newest there is
        const auto options = SSL_CTX_get_options(context.get());
        CHECK((options & SSL_OP_NO_RENEGOTIATION) != 0);
        CHECK((options & SSL_OP_NO_COMPRESSION) != 0);
        CHECK(SSL_CTX_get_max_early_data(context.get()) == 0);
    }
}

TEST_CASE("an idle connection holds no buffers, and a write that was cut short may go on from other memory") {
    const OwnedContext context = make_context(TLS_server_method());
    const auto mode = SSL_CTX_get_mode(context.get());
    for (const long wanted :
         {SSL_MODE_RELEASE_BUFFERS, SSL_MODE_ENABLE_PARTIAL_WRITE, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER})
        CHECK((mode & wanted) == wanted);
    CHECK(SSL_CTX_get_read_ahead(context.get()) == 1);
}

TEST_CASE("a set-up that OpenSSL cannot finish is no memory") {
    int thing = 7;
    CHECK(needed(&thing) == &thing);
    CHECK_NOTHROW(needed(1L));
    CHECK_THROWS_AS(needed(static_cast<int*>(nullptr)), std::bad_alloc);
    CHECK_THROWS_AS(needed(0L), std::bad_alloc);
    CHECK_THROWS_AS(needed(-1L), std::bad_alloc);
}

}  // namespace weir::net
