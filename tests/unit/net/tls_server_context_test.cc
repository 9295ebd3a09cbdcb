#include "net/tls_server_context.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "net/tls_pair.h"

namespace weir::net {

namespace {

using Kind = TlsFault::Kind;

/// A client whose every setting the test decides.
struct Visitor {
    OwnedServerContext context{SSL_CTX_new(TLS_client_method())};
    std::string name = "app.test";  ///< empty: asks for none
    SSL_SESSION* ticket = nullptr;
    mutable SSL* last = nullptr;  ///< the one that session() has made

    [[nodiscard]] std::unique_ptr<TlsSession> session() const {
        OwnedSsl ssl(SSL_new(context.get()));
        SSL_set_connect_state(ssl.get());
        if (!name.empty())
            SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                     const_cast<char*>(name.c_str()));
        if (ticket != nullptr) SSL_set_session(ssl.get(), ticket);
        last = ssl.get();
        return std::make_unique<TlsSession>(std::move(ssl));
    }
    void offer(std::string_view protocols) {
        SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                                static_cast<unsigned>(protocols.size()));
    }
    void newest(int version) { SSL_CTX_set_max_proto_version(context.get(), version); }
    void show(const Identity& identity) {
        REQUIRE(SSL_CTX_use_certificate(context.get(), identity.certificate.get()) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey(context.get(), identity.key.get()) == 1);
    }
};

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct Place : Authority {
    TlsServerContext::Options options;
    TlsTicketKeys keys;

    TlsFiles& add(const std::string& common_name, const std::string& names) {
        const Identity made = make_identity(common_name, {.names = names, .issuer = &ca});
        const std::string stem = folder.file(std::to_string(options.files.size()).c_str());
        write_pem(stem + ".pem", made);
        write_key(stem + ".key", made);
        options.files.push_back({.certificate = stem + ".pem", .key = stem + ".key", .client_ca = {}});
        return options.files.back();
    }
    [[nodiscard]] std::shared_ptr<const TlsServerContext> load() const {
        auto loaded = TlsServerContext::load(options, keys);
        REQUIRE(loaded);
        return *loaded;
    }
};

/// One connection of a visitor, as far as it came.
struct Visit {
    Visit(const TlsServerContext& server, const Visitor& visitor)
        : pair(tcp_pair(), visitor.session(), server.session()) {
        REQUIRE(pair.driven.until([&] {
            const bool near_is_done = pair.near.shake();
            const bool far_is_done = pair.far.shake();
            if (near_is_done && pair.near.shaken.status != IoStatus::ok) pair.near.stream.close();
            return near_is_done && far_is_done;
        }));
    }
    [[nodiscard]] bool is_well() const { return pair.far.shaken.status == IoStatus::ok; }
    [[nodiscard]] const TlsSession& server() const { return *pair.far.stream.tls(); }
    [[nodiscard]] Kind fault() const { return server().fault().kind; }

    TlsPair pair;
};

int keep_ticket(SSL* ssl, SSL_SESSION* ticket) {
    auto* kept = static_cast<OwnedTicket*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    kept->reset(ticket);
    return 1;
}

/// Keeps the last ticket that the server gave.
struct Returner : Visitor {
    OwnedTicket kept;

    Returner() {
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_set_app_data(context.get(), &kept);
        SSL_CTX_sess_set_new_cb(context.get(), &keep_ticket);
    }
    /// Whether the server took up what it had with this client before.
    bool comes_back(const TlsServerContext& server) {
        const OwnedTicket shown = std::move(kept);
        ticket = shown.get();
        Visit visit(server, *this);
        REQUIRE(visit.is_well());
        REQUIRE(visit.pair.far.write("x").bytes == 1);
        REQUIRE(visit.pair.receive(visit.pair.near, 1) == "x");
        // In TLS 1.2 nobody is told where a ticket is replaced.
        if (visit.server().version() == "TLSv1.2") kept.reset(SSL_get1_session(last));
        ticket = nullptr;
        return visit.server().was_resumed();
    }
};

/// Common name of the certificate that a visitor is shown.
struct Looker : Visitor {
    std::string shown;

    Looker() {
        SSL_CTX_set_cert_verify_callback(
            context.get(),
            [](X509_STORE_CTX* seen, void* to) {
                char text[100] = "";
                X509_NAME_get_text_by_NID(X509_get_subject_name(X509_STORE_CTX_get0_cert(seen)),
                                          NID_commonName, text, sizeof text);
                *static_cast<std::string*>(to) = text;
                return 1;
            },
            &shown);
    }
    std::string asks_for(const TlsServerContext& server, const std::string& host) {
        name = host;
        CHECK(Visit(server, *this).is_well());
        return shown;
    }
};

}  // namespace

TEST_CASE("the certificate is the one of the name that is asked for, or else the first") {
    Place place;
    place.add("first", "DNS:app.test,DNS:www.app.test");
    place.add("second", "DNS:other.test,DNS:*.wide.test");
    place.add("third", "DNS:www.wide.test,IP:127.0.0.1");
    const auto server = place.load();
    for (int version : kVersions) {
        Looker looker;
        looker.newest(version);
        CHECK(looker.asks_for(*server, "app.test") == "first");
        CHECK(looker.asks_for(*server, "OTHER.test") == "second");
        CHECK(looker.asks_for(*server, "a.wide.test") == "second");
        CHECK(looker.asks_for(*server, "www.wide.test") == "third");
        CHECK(looker.asks_for(*server, "unknown.test") == "first");
        CHECK(looker.asks_for(*server, "a.b.wide.test") == "first");
        CHECK(looker.asks_for(*server, "") == "first");
    }
}

TEST_CASE("what is spoken inside is the server's best of what the client offers") {
    Place place;
    place.add("app", "DNS:app.test");
    place.add("other", "DNS:other.test");
    place.options.protocols = {"h2", "http/1.1"};
    const auto server = place.load();
    for (auto [offered, chosen] : {std::pair{std::string_view("\x08http/1.1\x02h2"), "h2"},
                                   {std::string_view("\x08http/1.1"), "http/1.1"},
                                   {std::string_view("\x03"
                                                     "foo\x08http/1.1"),
                                    "http/1.1"},
                                   {std::string_view(""), ""}}) {
        for (const char* name : {"app.test", "other.test"}) {
            Visitor visitor;
            visitor.name = name;
            if (!offered.empty()) visitor.offer(offered);
            Visit visit(*server, visitor);
            CHECK(visit.is_well());
            CHECK(visit.server().protocol() == chosen);
        }
    }
}

TEST_CASE("a client that offers none of what is spoken is refused") {
    Place place;
    place.add("app", "DNS:app.test");
    const auto server = place.load();
    Visitor visitor;
    visitor.offer("\x02h2");
    CHECK(Visit(*server, visitor).fault() == Kind::unlike);
}

TEST_CASE("versions are 1.2 and 1.3, or as its name says") {
    Place place;
    place.add("app", "DNS:app.test");
    place.add("new", "DNS:new.test").least = TlsVersion::tls13;
    const auto server = place.load();
    for (int version : kVersions) {
        Visitor visitor;
        visitor.newest(version);
        Visit visit(*server, visitor);
        CHECK(visit.is_well());
        CHECK(visit.server().version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
        visitor.name = "new.test";
        Visit strict(*server, visitor);
        CHECK(strict.is_well() == (version == TLS1_3_VERSION));
        if (!strict.is_well()) CHECK(strict.fault() == Kind::too_old);
    }
    Visitor old;
    SSL_CTX_set_security_level(old.context.get(), 0);
    SSL_CTX_set_min_proto_version(old.context.get(), TLS1_VERSION);
    old.newest(TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(old.context.get(), "ALL:@SECLEVEL=0");
    CHECK(Visit(*server, old).fault() == Kind::too_old);
}

TEST_CASE("ciphers without forward secrecy or authentication of what is sealed are not spoken") {
    Place place;
    place.add("app", "DNS:app.test");
    const auto server = place.load();
    for (const char* cipher : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-CCM"}) {
        Visitor visitor;
        visitor.newest(TLS1_2_VERSION);
        REQUIRE(SSL_CTX_set_cipher_list(visitor.context.get(), cipher) == 1);
        CHECK(Visit(*server, visitor).fault() == Kind::unlike);
    }
}

TEST_CASE("tickets resume, with all contexts of one ring, until their key is three changes old") {
    for (int version : kVersions) {
        INFO(version);
        Place place;
        place.add("app", "DNS:app.test");
        const auto server = place.load();
        Returner client;
        client.newest(version);
        CHECK_FALSE(client.comes_back(*server));
        CHECK(client.comes_back(*server));
        place.keys.rotate();
        CHECK(client.comes_back(*server));
        // The one it has now is of the newest key.
        place.keys.rotate();
        place.keys.rotate();
        const auto renewed = place.load();
        CHECK(client.comes_back(*renewed));
        for (int i = 0; i < 3; ++i) place.keys.rotate();
        CHECK_FALSE(client.comes_back(*renewed));
    }
}

TEST_CASE("a ticket of another ring, or one that was changed, leads to a full handshake") {
    Place place;
    place.add("app", "DNS:app.test");
    Returner client;
    CHECK_FALSE(client.comes_back(*place.load()));
    TlsTicketKeys other;
    auto elsewhere = TlsServerContext::load(place.options, other);
    REQUIRE(elsewhere);
    CHECK_FALSE(client.comes_back(**elsewhere));
    CHECK(client.comes_back(**elsewhere));
}

TEST_CASE("a client shows a certificate of the named authority where its name asks for one, and only there") {
    for (int version : kVersions) {
        Place place;
        place.add("open", "DNS:app.test");
        place.add("closed", "DNS:closed.test").client_ca = place.file;
        const auto server = place.load();
        Authority stranger;
        const auto visit = [&](const char* name, const Identity* shown) {
            Visitor visitor;
            visitor.newest(version);
            visitor.name = name;
            if (shown != nullptr) visitor.show(*shown);
            Visit made(*server, visitor);
            return std::pair(made.fault(), made.server().client_subject());
        };
        CHECK(visit("app.test", nullptr) == std::pair(Kind::none, std::string()));
        CHECK(visit("app.test", &place.app) == std::pair(Kind::none, std::string()));
        CHECK(visit("closed.test", nullptr).first == Kind::no_certificate);
        CHECK(visit("closed.test", &stranger.app).first == Kind::untrusted);
        CHECK(visit("closed.test", &place.app) == std::pair(Kind::none, std::string("CN=app")));
        const Identity old = make_identity(
            "old", {.names = {}, .issuer = &place.ca, .from_seconds = -7200, .to_seconds = -3600});
        CHECK(visit("closed.test", &old).first == Kind::expired);
    }
}

TEST_CASE("a subject is printable, whatever is in it") {
    Place place;
    place.add("app", "DNS:app.test").client_ca = place.file;
    const auto server = place.load();
    Visitor visitor;
    const Identity odd = make_identity("a\r\nX: y, \xc3\xa4", {.names = {}, .issuer = &place.ca});
    visitor.show(odd);
    Visit visit(*server, visitor);
    REQUIRE(visit.is_well());
    CHECK(visit.server().client_subject() == "CN=a\\0D\\0AX: y\\, \\C3\\83\\C2\\A4");
}

TEST_CASE("a ticket keeps whom it was given to, and holds only where the same is asked for") {
    for (int version : kVersions) {
        Place place;
        place.add("open", "DNS:app.test");
        place.add("closed", "DNS:closed.test").client_ca = place.file;
        const auto server = place.load();
        Returner client;
        client.newest(version);
        client.show(place.app);
        CHECK_FALSE(client.comes_back(*server));
        // A ticket of the name that asks for nothing does not open the other.
        client.name = "closed.test";
        CHECK_FALSE(client.comes_back(*server));
        CHECK(client.comes_back(*server));
        client.ticket = client.kept.get();
        Visit resumed(*server, client);
        CHECK(resumed.server().was_resumed());
        CHECK(resumed.server().client_subject() == "CN=app");
        client.ticket = nullptr;
        // Nor does it once others are trusted.
        const Authority changed;
        write_pem(place.file, changed.ca);
        Visit refused(*place.load(), client);
        CHECK_FALSE(refused.is_well());
    }
}

TEST_CASE("a ticket does not outlive the certificate that it was given for") {
    for (int version : kVersions) {
        Place place;
        place.add("app", "DNS:app.test").client_ca = place.file;
        const auto server = place.load();
        Returner client;
        client.newest(version);
        const Identity brief = make_identity("brief", {.names = {}, .issuer = &place.ca, .to_seconds = 2});
        client.show(brief);
        CHECK_FALSE(client.comes_back(*server));
        DrivenLoop driven;
        REQUIRE(driven.until(
            [&] { return X509_cmp_current_time(X509_get0_notAfter(brief.certificate.get())) < 0; }));
        client.ticket = client.kept.get();
        Visit late(*server, client);
        CHECK_FALSE(late.is_well());
        CHECK(late.fault() == Kind::expired);
    }
}

TEST_CASE("a name that asks for another certificate than was shown is not for this connection") {
    Place place;
    place.add("open", "DNS:app.test");
    place.add("closed", "DNS:closed.test,DNS:closed.wide.test").client_ca = place.file;
    place.add("open too", "DNS:*.wide.test");
    const auto server = place.load();
    Visitor visitor;
    Visit open(*server, visitor);
    for (const char* host :
         {"app.test", "app.test:8443", "a.wide.test", "unknown.test", "", "[::1]:443", "[::1]"})
        CHECK(open.server().admits(host));
    for (const char* host : {"closed.test", "CLOSED.test:443", "closed.test.", "closed.wide.test"})
        CHECK_FALSE(open.server().admits(host));
    visitor.name = "closed.test";
    visitor.show(place.app);
    Visit closed(*server, visitor);
    CHECK(closed.server().admits("closed.test"));
    CHECK(closed.server().admits("closed.wide.test"));
    CHECK_FALSE(closed.server().admits("app.test"));
    CHECK_FALSE(closed.server().admits("unknown.test"));
}

TEST_CASE("where all names ask for the same, every name is for every connection") {
    Place place;
    place.add("one", "DNS:app.test");
    place.add("other", "DNS:other.test");
    Visit visit(*place.load(), Visitor());
    CHECK(visit.server().admits("other.test"));
}

TEST_CASE("a hello that is cut off, or is none, comes to nothing and harms nobody") {
    Place place;
    place.add("app", "DNS:app.test");
    const auto server = place.load();
    // The hello of a real client, caught on the wire.
    auto caught = tcp_pair();
    DrivenLoop driven;
    TlsEnd client(driven, std::move(caught.near), Visitor().session());
    client.shake();
    std::string hello;
    REQUIRE(driven.until([&] { return !(hello += receive(caught.far)).empty(); }));
    for (size_t length = 0; length < hello.size(); length += 7) {
        auto sockets = tcp_pair();
        TlsEnd end(driven, std::move(sockets.near), server->session());
        send_some(sockets.far, hello.substr(0, length));
        send_end(sockets.far);
        REQUIRE(driven.until([&] { return end.shake(); }));
        CHECK(end.shaken.status == IoStatus::failed);
        CHECK(end.stream.tls()->fault().kind == Kind::ended);
    }
    for (size_t at = 0; at < hello.size(); at += 3) {
        std::string changed = hello;
        changed[at] = static_cast<char>(changed[at] ^ 0x55);
        auto sockets = tcp_pair();
        TlsEnd end(driven, std::move(sockets.near), server->session());
        send_some(sockets.far, changed);
        send_end(sockets.far);
        REQUIRE(driven.until([&] { return end.shake(); }));
        CHECK(end.shaken.status == IoStatus::failed);
    }
}

TEST_CASE("new connections get what the door was given last, and old ones keep what they have") {
    Place before;
    before.add("before", "DNS:app.test");
    Place after;
    after.add("after", "DNS:app.test");
    TlsDoor door(before.load());
    auto first = door.context()->session();
    door.change(after.load());
    Looker looker;
    CHECK(looker.asks_for(*door.context(), "app.test") == "after");
    TlsPair old(tcp_pair(), looker.session(), std::move(first));
    old.shake();
    CHECK(looker.shown == "before");
}

TEST_CASE("what cannot be served with is an error that names the file") {
    Place place;
    place.add("app", "DNS:app.test");
    place.add("other", "DNS:other.test").key = "/nowhere.key";
    auto loaded = TlsServerContext::load(place.options, place.keys);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error() == "cannot read `/nowhere.key`: No such file or directory");
}

}  // namespace weir::net
