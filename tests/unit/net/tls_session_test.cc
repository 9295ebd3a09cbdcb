#include "net/tls_session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "net/tls_pair.h"

namespace weir::net {

namespace {

/// Both ends in agreement.
struct Agreed : Authority {
    explicit Agreed(SocketPair sockets = unix_pair(), int newest = TLS1_3_VERSION)
        : server(serve_with(app, newest)),
          context(client()),
          pair(std::move(sockets), context, server.get()) {
        pair.shake();
        REQUIRE(near.shaken.status == IoStatus::ok);
        pair.driven.settle();
        near.read_all();  // the tickets of TLS 1.3
    }

    OwnedServerContext server;
    TlsClientContext context;
    TlsPair pair;
    TlsEnd& near = pair.near;
    TlsEnd& far = pair.far;
};

std::string noise(size_t bytes, unsigned seed) {
    std::mt19937 random(seed);
    std::string made(bytes, '\0');
    std::generate(made.begin(), made.end(), [&] { return static_cast<char>(random()); });
    return made;
}

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

}  // namespace

TEST_CASE("bytes pass in both directions, in TLS 1.2 and in TLS 1.3") {
    for (int version : kVersions) {
        Agreed both(unix_pair(), version);
        CHECK(both.near.write("question").bytes == 8);
        CHECK(both.pair.receive(both.far, 8) == "question");
        CHECK(both.far.write("answer").bytes == 6);
        CHECK(both.pair.receive(both.near, 6) == "answer");
    }
}

TEST_CASE("a server that speaks TLS 1.1 at best is too old") {
    Authority authority;
    auto server = serve_with(authority.app, TLS1_1_VERSION);
    SSL_CTX_set_min_proto_version(server.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(server.get(), 0);
    SSL_CTX_set_cipher_list(server.get(), "ALL:@SECLEVEL=0");
    auto context = authority.client();
    TlsPair pair(unix_pair(), context, server.get());
    pair.shake();
    CHECK(pair.near.shaken.status == IoStatus::failed);
    CHECK(pair.near.stream.tls()->fault().kind == TlsFault::Kind::too_old);
}

TEST_CASE("the first reads do the handshake for a side that does not ask for it") {
    Authority authority;
    auto server = serve_with(authority.app);
    auto context = authority.client();
    TlsPair pair(unix_pair(), context, server.get());
    std::string got;
    bool asked = false;
    REQUIRE(pair.driven.until([&] {
        if (pair.near.shake() && !asked) asked = pair.near.write("question").bytes == 8;
        if (pair.far.stream.readable()) got += pair.far.read_all();
        return got == "question";
    }));
    CHECK(asked);
}

TEST_CASE("a read gathers what several records hold, as far as there is room") {
    Agreed both;
    const std::string sent = noise(50'000, 1);
    REQUIRE(both.far.write(sent).bytes == sent.size());
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.readable(); }));
    CHECK(both.near.read(20'000).bytes == 20'000);
    std::string got = both.near.room;
    both.near.stream.settle();
    CHECK(both.near.stream.readable());
    CHECK(both.near.read(65'536).bytes == 30'000);
    got += both.near.room;
    CHECK((got == sent));
}

TEST_CASE("bytes that were taken from the socket and not read are not settled away") {
    Agreed both;
    REQUIRE(both.far.write("hello world").bytes == 11);
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.readable(); }));
    CHECK(both.near.read(5).bytes == 5);
    both.near.stream.settle();
    REQUIRE(both.near.stream.readable());
    CHECK(both.near.read(100).bytes == 6);
    CHECK(both.near.room == " world");
    both.near.stream.settle();
    CHECK_FALSE(both.near.stream.readable());
}

TEST_CASE("what comes while bytes from before are still inside is not settled away") {
    Agreed both;
    // Both records are taken from the socket at once, and the reader has room for one.
    REQUIRE(both.far.write("first!").bytes == 6);
    REQUIRE(both.far.write("second").bytes == 6);
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.readable(); }));
    REQUIRE(both.near.read(6).bytes == 6);
    // The socket tells of these, and the next read does not get as far.
    REQUIRE(both.far.write("third!").bytes == 6);
    both.pair.driven.settle();
    REQUIRE(both.near.read(6).bytes == 6);
    CHECK(both.near.room == "second");
    both.near.stream.settle();
    REQUIRE(both.near.stream.readable());
    CHECK(both.near.read(6).bytes == 6);
    CHECK(both.near.room == "third!");
}

TEST_CASE("several small pieces leave in one record, and in one call") {
    Agreed both(unix_pair(SOCK_SEQPACKET));
    std::string head = "head ";
    std::string nothing;
    std::string body(1000, 'b');
    std::array<iovec, 3> pieces{iovec{.iov_base = head.data(), .iov_len = head.size()},
                                iovec{.iov_base = nothing.data(), .iov_len = 0},
                                iovec{.iov_base = body.data(), .iov_len = body.size()}};
    const uint64_t before = both.near.stream.sent_bytes();
    CHECK(both.near.stream.write(pieces).bytes == 1005);
    // Head, type and tag of one record (RFC 8446, 5.2).
    CHECK(both.near.stream.sent_bytes() - before == 1005 + 22);
    std::array<char, 2000> message;
    CHECK(::recv(both.far.stream.fd().get(), message.data(), message.size(), MSG_PEEK) == 1005 + 22);
    CHECK(both.pair.receive(both.far, 1005) == head + body);
}

TEST_CASE(
    "what a full socket does not take is offered again, however it is cut, and arrives once and in order") {
    for (int version : kVersions) {
        for (unsigned seed = 1; seed <= 8; ++seed) {
            INFO("seed " << seed);
            Agreed both(seed % 2 == 0 ? unix_pair() : tcp_pair(), version);
            std::minstd_rand random(seed);
            std::string sent = noise(size_t{3} << 20, seed);
            std::string got;
            size_t accepted = 0;
            bool was_full = false;
            REQUIRE(both.pair.driven.until([&] {
                while (accepted < sent.size() && both.near.stream.writable()) {
                    // Never the same pieces twice.
                    std::vector<iovec> pieces;
                    size_t at = accepted;
                    for (auto count = 1 + random() % 9; count > 0 && at < sent.size(); --count) {
                        size_t length =
                            std::min<size_t>(random() % (random() % 3 == 0 ? 60'000 : 300), sent.size() - at);
                        pieces.push_back({.iov_base = sent.data() + at, .iov_len = length});
                        at += length;
                    }
                    auto result = both.near.stream.write(pieces);
                    REQUIRE(result.status != IoStatus::failed);
                    was_full = was_full || !both.near.stream.writable();
                    accepted += result.bytes;
                }
                if (!was_full || random() % 4 == 0) got += both.far.read_all();
                if (accepted == sent.size()) got += both.far.read_all();
                return got.size() >= sent.size();
            }));
            CHECK((got == sent));
            CHECK((was_full || seed % 2 == 1));
        }
    }
}

TEST_CASE("bytes are accepted when the socket has them, not before") {
    Agreed both;
    std::string sent;
    while (both.near.stream.writable()) {
        std::string piece(16384, static_cast<char>('a' + sent.size() / 16384 % 26));
        sent += piece.substr(0, both.near.write(piece).bytes);
    }
    const uint64_t before = both.near.stream.sent_bytes();
    CHECK(both.near.write("x").status == IoStatus::again);
    CHECK(both.near.stream.sent_bytes() == before);
    // The far end can read what was accepted, and the part of a record that is on its way says nothing yet.
    CHECK((both.pair.receive(both.far, sent.size()) == sent));
}

TEST_CASE("an end that is said is told from one that is not") {
    for (bool is_said : {true, false}) {
        for (int version : kVersions) {
            Agreed both(tcp_pair(), version);
            REQUIRE(both.far.write("last words").bytes == 10);
            if (is_said) {
                both.far.stream.shut_write();
            } else {
                send_end(both.far.stream.fd());
            }
            CHECK(both.pair.receive(both.near, 11) == "last words");
            CHECK(both.near.last.status == (is_said ? IoStatus::closed : IoStatus::failed));
            if (!is_said) CHECK(both.near.last.error == EPIPE);
            CHECK(both.near.stream.peer_closed());
            CHECK(both.near.read(10).status == both.near.last.status);
            // The other direction goes on.
            CHECK(both.near.write("answer").bytes == 6);
            CHECK(both.pair.receive(both.far, 6) == "answer");
        }
    }
}

TEST_CASE("an end that came together with the last bytes is known at once, and not settled away") {
    Agreed both;
    both.far.write("last words");
    both.far.stream.close();
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.peer_closed(); }));
    CHECK(both.near.read(100).bytes == 10);
    both.near.stream.settle();
    CHECK(both.near.stream.readable());
    CHECK(both.near.read(100).status == IoStatus::closed);
}

TEST_CASE("a side that is cut off does not look as if it had said its end") {
    Agreed both(tcp_pair());
    both.far.write("a part");
    both.far.stream.reset_on_close();
    both.far.stream.close();
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.readable(); }));
    both.near.read_all();
    CHECK(both.near.last.status == IoStatus::failed);
    CHECK(both.near.last.error == ECONNRESET);
}

TEST_CASE("the end is said behind all that the socket could not take at first") {
    Agreed both(tcp_pair());
    std::string sent;
    const std::string piece(16384, 'p');
    while (both.near.stream.writable()) sent += piece.substr(0, both.near.write(piece).bytes);
    std::string got;
    std::string rest(sent.size() % 16384 == 0 ? 0 : 16384 - sent.size() % 16384, 'r');
    REQUIRE(both.pair.driven.until([&] {
        got += both.far.read_all();
        return both.near.stream.writable();
    }));
    const std::string_view last = "the record that was under way";
    while (both.near.write(last).bytes < last.size()) both.pair.driven.settle(1), got += both.far.read_all();
    both.near.stream.shut_write();
    REQUIRE(both.pair.driven.until([&] {
        got += both.far.read_all();
        return both.far.last.status != IoStatus::again;
    }));
    CHECK(both.far.last.status == IoStatus::closed);
    CHECK(got.size() >= sent.size());
}

TEST_CASE("tickets that come to an idle stream are no input, and bytes and an end are") {
    Authority authority;
    auto server = serve_with(authority.app);
    auto context = authority.client();
    TlsPair pair(unix_pair(), context, server.get());
    pair.shake();
    REQUIRE(pair.driven.until([&] { return pair.near.stream.readable(); }));
    CHECK_FALSE(pair.near.stream.has_input());
    CHECK_FALSE(pair.near.stream.readable());
    CHECK(pair.tickets.size() == 2);

    pair.far.write("x");
    REQUIRE(pair.driven.until([&] { return pair.near.stream.readable(); }));
    CHECK(pair.near.stream.has_input());
    CHECK(pair.near.stream.peek().status == IoStatus::ok);
    CHECK(pair.near.read_all() == "x");
    CHECK_FALSE(pair.near.stream.has_input());
    CHECK(pair.near.stream.peek().status == IoStatus::again);
    pair.far.stream.shut_write();
    REQUIRE(pair.driven.until([&] { return pair.near.stream.readable(); }));
    CHECK(pair.near.stream.has_input());
    CHECK(pair.near.stream.peek().status == IoStatus::closed);
}

TEST_CASE("a record that does not fit its tag fails the stream for good") {
    Agreed both;
    send_some(both.far.stream.fd(), std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.readable(); }));
    auto got = both.near.read(100);
    CHECK(got.status == IoStatus::failed);
    CHECK(got.error == EPROTO);
    CHECK(both.near.read(100).error == EPROTO);
    CHECK(both.near.stream.tls()->fault().kind == TlsFault::Kind::broken);
}

TEST_CASE("both directions count on the wire, acknowledged bytes alone") {
    Agreed both(tcp_pair());
    const uint64_t before = both.near.stream.moved_bytes();
    REQUIRE(both.near.write(std::string(1000, 'x')).bytes == 1000);
    REQUIRE(both.pair.driven.until([&] { return both.near.stream.moved_bytes() - before == 1022; }));
    both.pair.receive(both.far, 1000);
    both.far.write(std::string(500, 'y'));
    both.pair.receive(both.near, 500);
    CHECK(both.near.stream.moved_bytes() - before == 1022 + 522);
}

TEST_CASE("after a failed write the peer's last words can still be read") {
    Agreed both;
    both.far.write("bye");
    both.far.stream.close();
    IoResult result;
    while ((result = both.near.write("x")).status == IoStatus::ok) {
    }
    CHECK(result.status == IoStatus::failed);
    CHECK(result.error == EPIPE);
    both.near.stream.expect_end();
    CHECK(both.near.read_all() == "bye");
    CHECK(both.near.last.status == IoStatus::closed);
}

TEST_CASE("closing a stream whose peer is gone raises no signal") {
    Agreed both;
    both.far.stream.reset_on_close();
    both.far.stream.close();
    both.near.stream.close();
    CHECK_FALSE(both.near.stream.is_open());
}

}  // namespace weir::net
