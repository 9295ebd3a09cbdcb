// weir's end and the app's end of one TLS connection, on one loop.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>
#include <utility>

#include "net/certificates.h"
#include "net/driven_loop.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "net/tls_context.h"

namespace weir::net {

class TlsEnd final : public Stream::Owner {
  public:
    TlsEnd(DrivenLoop& driven, Fd fd, std::unique_ptr<TlsSession> tls)
        : stream(driven.loop, std::move(fd), *this, std::move(tls)) {}
    void on_ready() override { ++calls; }

    /// True once it is over; its outcome is in `shaken`.
    bool shake() {
        shaken = stream.handshake();
        return shaken.status != IoStatus::again;
    }
    IoResult read(size_t bytes) {
        room.resize(bytes);
        auto got = stream.read(room);
        room.resize(got.bytes);
        return got;
    }
    /// Until there is no more; `last` says why.
    std::string read_all() {
        std::string all;
        do {
            last = read(65536);
            all += room;
        } while (last.status == IoStatus::ok);
        return all;
    }
    IoResult write(std::string_view text) {
        iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
        return stream.write({&piece, 1});
    }

    int calls = 0;
    IoResult shaken{.status = IoStatus::again};
    IoResult last;
    std::string room;
    Stream stream;
};

/// `far` speaks with the server's context, `near` as a client that trusts `options`.
class TlsPair {
  public:
    TlsPair(SocketPair pair, const TlsClientContext& client, SSL_CTX* server,
            const std::string& name = "app.test")
        : near(driven, std::move(pair.near), client.session(name, tickets)),
          far(driven, std::move(pair.far), server_session(server)) {}
    /// The two as they are given.
    TlsPair(SocketPair pair, std::unique_ptr<TlsSession> client, std::unique_ptr<TlsSession> server)
        : near(driven, std::move(pair.near), std::move(client)),
          far(driven, std::move(pair.far), std::move(server)) {}

    /// Until both sides know the outcome.
    void shake() {
        REQUIRE(driven.until([&] {
            const bool near_is_done = near.shake();
            const bool far_is_done = far.shake();
            return near_is_done && (far_is_done || near.shaken.status != IoStatus::ok);
        }));
    }
    /// What arrives at `end`, until there are `bytes`.
    std::string receive(TlsEnd& end, size_t bytes) {
        std::string got;
        REQUIRE(driven.until([&] {
            got += end.read_all();
            return got.size() >= bytes || end.last.status != IoStatus::again;
        }));
        return got;
    }

    TlsTickets own_tickets;
    TlsTickets& tickets = own_tickets;
    DrivenLoop driven;
    TlsEnd near;
    TlsEnd far;
};

/// A CA of the test's own, and an app with a certificate of it for app.test.
struct Authority {
    TemporaryFolder folder;
    Identity ca = make_identity("test authority", {.names = {}, .is_ca = true});
    Identity app = make_identity("app", {.names = "DNS:app.test,IP:127.0.0.1,IP:::1", .issuer = &ca});
    std::string file = folder.file("ca.pem");

    Authority() { write_pem(file, ca); }
    [[nodiscard]] TlsClientContext client(bool verify = true) const {
        auto loaded = TlsClientContext::load({.ca = file, .verify = verify});
        REQUIRE(loaded.has_value());
        return std::move(*loaded);
    }
};

}  // namespace weir::net
