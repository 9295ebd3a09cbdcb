#include "net/tls_context.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "net/tls_pair.h"

namespace weir::net {

namespace {

/// The outcome of a handshake with `identity`, for a client that wants to speak with `name`.
TlsFault fault_of(const TlsClientContext& client, const Identity& identity,
                  const std::string& name = "app.test") {
    auto server = serve_with(identity);
    TlsPair pair(unix_pair(), client, server.get(), name);
    pair.shake();
    const TlsFault& fault = pair.near.stream.tls()->fault();
    CHECK((pair.near.shaken.status == IoStatus::ok) == (fault.kind == TlsFault::Kind::none));
    return fault;
}

using Kind = TlsFault::Kind;

std::string asked_name(SSL* ssl) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "none" : name;
}

}  // namespace

TEST_CASE("a certificate of the named authority for the right name or address is accepted") {
    Authority authority;
    auto client = authority.client();
    for (const char* name : {"app.test", "APP.test", "app.test.", "127.0.0.1", "::1"})
        CHECK(fault_of(client, authority.app, name).kind == Kind::none);
}

TEST_CASE("a certificate for another name or address is not") {
    Authority authority;
    auto client = authority.client();
    for (const char* name : {"other.test", "a.app.test", "test", "127.0.0.2", "::2"})
        CHECK(fault_of(client, authority.app, name).kind == Kind::other_name);
}

TEST_CASE("a wildcard stands for one label") {
    Authority authority;
    auto client = authority.client();
    auto wide = make_identity("wide", {.names = "DNS:*.app.test", .issuer = &authority.ca});
    CHECK(fault_of(client, wide, "a.app.test").kind == Kind::none);
    CHECK(fault_of(client, wide, "a.b.app.test").kind == Kind::other_name);
    CHECK(fault_of(client, wide, "app.test").kind == Kind::other_name);
}

TEST_CASE("the subject of a certificate is not taken for a name") {
    Authority authority;
    auto client = authority.client();
    auto old_way = make_identity("app.test", {.names = {}, .issuer = &authority.ca});
    CHECK(fault_of(client, old_way).kind == Kind::other_name);
}

TEST_CASE("a certificate is told to have expired, or to be early") {
    Authority authority;
    auto client = authority.client();
    auto expired = make_identity(
        "app",
        {.names = "DNS:app.test", .issuer = &authority.ca, .from_seconds = -7200, .to_seconds = -3600});
    CHECK(fault_of(client, expired).kind == Kind::expired);
    auto early = make_identity(
        "app", {.names = "DNS:app.test", .issuer = &authority.ca, .from_seconds = 3600, .to_seconds = 7200});
    CHECK(fault_of(client, early).kind == Kind::not_yet_valid);
}

TEST_CASE("a certificate of nobody who is trusted is not accepted, and it is said why") {
    Authority authority;
    auto client = authority.client();
    auto own = make_identity("app", {.names = "DNS:app.test"});
    CHECK(fault_of(client, own).kind == Kind::untrusted);
    CHECK(fault_of(client, own).cause == "self-signed certificate");
    Authority other;
    CHECK(fault_of(client, other.app).kind == Kind::untrusted);
    auto of_an_app = make_identity("app", {.names = "DNS:app.test", .issuer = &authority.app});
    CHECK(fault_of(client, of_an_app).kind == Kind::untrusted);
}

TEST_CASE("the app's own certificate may be the one to trust, self-signed or not") {
    Authority authority;
    const std::string file = authority.folder.file("app.pem");
    auto own = make_identity("app", {.names = "DNS:app.test"});
    for (const Identity* identity : {&own, &authority.app}) {
        write_pem(file, *identity);
        auto client = TlsClientContext::load({.ca = file, .verify = true});
        REQUIRE(client.has_value());
        CHECK(fault_of(*client, *identity).kind == Kind::none);
        CHECK(fault_of(*client, *identity, "other.test").kind == Kind::other_name);
    }
}

TEST_CASE("the system's certificates do not make a test's authority trusted") {
    Authority authority;
    auto client = TlsClientContext::load({.ca = {}, .verify = true});
    REQUIRE(client.has_value());
    CHECK(fault_of(*client, authority.app).kind == Kind::untrusted);
}

TEST_CASE("without verification anything passes") {
    Authority authority;
    auto client = authority.client(false);
    auto own = make_identity("app", {.names = {}, .from_seconds = -7200, .to_seconds = -3600});
    CHECK(fault_of(client, own, "other.test").kind == Kind::none);
}

TEST_CASE("names are asked for, addresses are not, and HTTP/1.1 is offered") {
    Authority authority;
    auto client = authority.client(false);
    for (auto [name, asked] : {std::pair{"app.test", "app.test"},
                               {"app.test.", "app.test"},
                               {"127.0.0.1", "none"},
                               {"::1", "none"}}) {
        TlsTickets tickets;
        auto server = serve_with(authority.app);
        std::string offered;
        SSL_CTX_set_alpn_select_cb(
            server.get(),
            [](SSL*, const unsigned char**, unsigned char*, const unsigned char* in, unsigned length,
               void* to) {
                static_cast<std::string*>(to)->assign(reinterpret_cast<const char*>(in), length);
                return SSL_TLSEXT_ERR_NOACK;
            },
            &offered);
        std::string seen;
        int (*note_name)(SSL*, int*, void*) = [](SSL* ssl, int*, void* to) {
            *static_cast<std::string*>(to) = asked_name(ssl);
            return SSL_TLSEXT_ERR_OK;
        };
        // What stands behind OpenSSL's macros.
        SSL_CTX_ctrl(server.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, &seen);
        SSL_CTX_callback_ctrl(server.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                              reinterpret_cast<void (*)()>(note_name));
        TlsPair pair(unix_pair(), client, server.get(), name);
        pair.shake();
        CHECK(seen == asked);
        CHECK(offered == "\x08http/1.1");
    }
}

TEST_CASE("a peer that speaks something else is found out, and one that says nothing and leaves") {
    Authority authority;
    auto client = authority.client();
    for (auto [words, kind] : {std::pair{"HTTP/1.1 400 Bad Request\r\n\r\n", Kind::not_tls},
                               {"220 mail.test ESMTP\r\n", Kind::not_tls},
                               {"", Kind::ended}}) {
        DrivenLoop driven;
        TlsTickets tickets;
        auto sockets = tcp_pair();
        TlsEnd near(driven, std::move(sockets.near), client.session("app.test", tickets));
        send_some(sockets.far, words);
        send_end(sockets.far);
        REQUIRE(driven.until([&] { return near.shake(); }));
        CHECK(near.shaken.status == IoStatus::failed);
        CHECK(near.stream.tls()->fault().kind == kind);
        CHECK(near.read(10).status == IoStatus::failed);
    }
}

TEST_CASE("an alert is named") {
    Authority authority;
    auto server = serve_with(authority.app);
    SSL_CTX_set_ciphersuites(server.get(), "TLS_AES_128_CCM_SHA256");
    SSL_CTX_set_min_proto_version(server.get(), TLS1_3_VERSION);
    auto client = authority.client();
    TlsPair pair(unix_pair(), client, server.get());
    pair.shake();
    CHECK(pair.near.stream.tls()->fault().kind == Kind::refused);
    CHECK(pair.near.stream.tls()->fault().cause.find("handshake failure") != std::string::npos);
}

TEST_CASE("what a server gave resumes the next connection, in TLS 1.2 and 1.3") {
    Authority authority;
    auto client = authority.client();
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto server = serve_with(authority.app, version);
        TlsTickets tickets;
        for (bool is_first : {true, false, false}) {
            DrivenLoop driven;
            auto sockets = unix_pair();
            TlsEnd near(driven, std::move(sockets.near), client.session("app.test", tickets));
            TlsEnd far(driven, std::move(sockets.far), server_session(server.get()));
            REQUIRE(driven.until([&] {
                near.shake();
                far.shake();
                return near.shaken.status != IoStatus::again && far.shaken.status != IoStatus::again;
            }));
            near.read_all();
            CHECK(near.shaken.status == IoStatus::ok);
            CHECK(near.stream.tls()->was_resumed() == !is_first);
            // However the connection ends.
            if (is_first) near.stream.reset_on_close();
        }
    }
}

TEST_CASE("a file of certificates that is of no use is an error with its cause") {
    TemporaryFolder folder;
    auto error_of = [&](const std::string& file) {
        auto loaded = TlsClientContext::load({.ca = file, .verify = true});
        REQUIRE_FALSE(loaded.has_value());
        return loaded.error();
    };
    const std::string file = folder.file("ca.pem");
    const std::string start = "cannot read the certificates in " + file + ": ";
    CHECK(error_of(file) == start + "No such file or directory");
    std::ofstream(file) << "";
    CHECK(error_of(file) == start + "there is no certificate in it");
    std::ofstream(file) << "not a certificate\n";
    CHECK(error_of(file) == start + "there is no certificate in it");
    std::ofstream(file) << "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    CHECK(error_of(file).starts_with(start));
}

TEST_CASE("without verification the file is not needed") {
    CHECK(TlsClientContext::load({.ca = "/nowhere", .verify = false}).has_value());
}

}  // namespace weir::net
