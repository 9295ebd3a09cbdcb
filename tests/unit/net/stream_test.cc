#include "net/stream.h"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <string>

#include "net/driven_loop.h"
#include "net/sockets.h"

namespace weir::net {

namespace {

/// One end of a pair as a stream, and how often its owner was called.
class Watched final : public Stream::Owner {
  public:
    explicit Watched(SocketPair pair)
        : far(std::move(pair.far)), stream(driven.loop, std::move(pair.near), *this) {
        REQUIRE(driven.until([&] { return stream.writable(); }));
        calls = 0;
    }

    void on_ready() override { ++calls; }

    [[nodiscard]] bool until_called() {
        const int before = calls;
        return driven.until([&] { return calls > before; });
    }
    IoResult read(size_t bytes) {
        room.resize(bytes);
        auto got = stream.read(room);
        room.resize(got.bytes);
        return got;
    }
    IoResult write(std::string_view text) {
        iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
        return stream.write({&piece, 1});
    }
    /// Until the socket takes no more; what it took.
    std::string fill() {
        std::string sent;
        while (stream.writable()) {
            std::string piece(100'000, static_cast<char>('a' + sent.size() % 26));
            sent += piece.substr(0, write(piece).bytes);
        }
        return sent;
    }

    DrivenLoop driven;
    Fd far;
    int calls = 0;
    std::string room;
    Stream stream;
};

}  // namespace

TEST_CASE("a stream says that it can be written to, and that there is nothing to read yet") {
    Watched end(unix_pair());
    CHECK(end.stream.writable());
    CHECK_FALSE(end.stream.readable());
    CHECK_FALSE(end.stream.peer_closed());
    CHECK(end.stream.is_open());
}

TEST_CASE("bytes are told of once, however long they lie unread") {
    Watched end(unix_pair());
    send_some(end.far, "hello");
    REQUIRE(end.until_called());
    CHECK(end.stream.readable());
    const int calls = end.calls;
    end.driven.settle();
    CHECK(end.calls == calls);
    CHECK(end.stream.readable());
}

TEST_CASE("a short read followed by settle() means drained, and new bytes are told of again") {
    Watched end(unix_pair());
    send_some(end.far, "hello");
    REQUIRE(end.until_called());
    CHECK(end.read(100).status == IoStatus::ok);
    CHECK(end.room == "hello");
    CHECK(end.stream.readable());
    end.stream.settle();
    CHECK_FALSE(end.stream.readable());
    send_some(end.far, "again");
    REQUIRE(end.until_called());
    CHECK(end.stream.readable());
    end.read(100);
    CHECK(end.room == "again");
}

TEST_CASE("a full read means that there may be more") {
    Watched end(unix_pair());
    send_some(end.far, "hello world");
    REQUIRE(end.until_called());
    end.read(5);
    end.stream.settle();
    CHECK(end.stream.readable());
    end.read(6);
    CHECK(end.room == " world");
    end.stream.settle();
    CHECK(end.stream.readable());
    CHECK(end.read(5).status == IoStatus::again);
    CHECK_FALSE(end.stream.readable());
}

TEST_CASE("bytes that arrive between a short read and settle() are not forgotten") {
    Watched end(unix_pair());
    send_some(end.far, "first");
    REQUIRE(end.until_called());
    end.read(100);
    send_some(end.far, "second");
    end.stream.settle();
    REQUIRE(end.until_called());
    CHECK(end.stream.readable());
    end.read(100);
    CHECK(end.room == "second");
}

TEST_CASE("a reset that came together with the last bytes is noticed by reading on") {
    Watched end(tcp_pair());
    send_some(end.far, "last words");
    reset(end.far);
    REQUIRE(end.until_called());
    CHECK(end.read(100).status == IoStatus::ok);
    CHECK(end.room == "last words");
    CHECK(end.stream.readable());
    auto next = end.read(100);
    CHECK(next.status == IoStatus::failed);
    CHECK(next.error == ECONNRESET);
    CHECK_FALSE(end.stream.readable());
}

TEST_CASE("an end that came together with the last bytes is not settled away") {
    Watched end(tcp_pair());
    send_some(end.far, "last words");
    send_end(end.far);
    REQUIRE(end.until_called());
    CHECK(end.stream.peer_closed());
    end.read(100);
    end.stream.settle();
    CHECK(end.stream.readable());
    CHECK(end.read(100).status == IoStatus::closed);
    CHECK_FALSE(end.stream.readable());
}

TEST_CASE("the peer's end is told of though bytes before it are unread, and writing goes on") {
    Watched end(tcp_pair());
    send_some(end.far, "hello");
    REQUIRE(end.until_called());
    CHECK_FALSE(end.stream.peer_closed());
    send_end(end.far);
    REQUIRE(end.driven.until([&] { return end.stream.peer_closed(); }));
    CHECK(end.read(100).bytes == 5);
    CHECK(end.read(100).status == IoStatus::closed);
    CHECK(end.write("answer").bytes == 6);
    CHECK(receive(end.far) == "answer");
}

TEST_CASE("a reset makes a stream readable and writable, so that whoever waits for either looks") {
    Watched end(tcp_pair());
    end.fill();
    REQUIRE_FALSE(end.stream.writable());
    reset(end.far);
    REQUIRE(end.driven.until([&] { return end.stream.readable() && end.stream.writable(); }));
    CHECK(end.read(100).status == IoStatus::failed);
}

TEST_CASE("a full socket takes a part, and becomes writable again when the peer has read") {
    for (bool is_tcp : {false, true}) {
        Watched end(is_tcp ? tcp_pair() : unix_pair());
        const std::string sent = end.fill();
        CHECK_FALSE(end.stream.writable());
        CHECK(end.write("x").status == IoStatus::again);
        const int calls = end.calls;
        end.driven.settle();
        CHECK(end.calls == calls);
        std::string got;
        REQUIRE(end.driven.until([&] {
            got += receive(end.far);
            return end.stream.writable();
        }));
        CHECK(end.write("x").bytes == 1);
        REQUIRE(end.driven.until([&] {
            got += receive(end.far);
            return got.size() > sent.size();
        }));
        CHECK((got == sent + "x"));
    }
}

TEST_CASE("a short write says by itself that the socket is full") {
    Watched end(unix_pair());
    const std::string large(size_t{8} << 20, 'x');
    auto result = end.write(large);
    CHECK(result.status == IoStatus::ok);
    CHECK(result.bytes < large.size());
    CHECK_FALSE(end.stream.writable());
}

TEST_CASE("several pieces leave in order and in one call") {
    // A socket that keeps the borders between messages shows the calls.
    Watched end(unix_pair(SOCK_SEQPACKET));
    std::string head = "head ";
    std::string body = "body";
    std::array<iovec, 2> pieces{iovec{.iov_base = head.data(), .iov_len = head.size()},
                                iovec{.iov_base = body.data(), .iov_len = body.size()}};
    CHECK(end.stream.write(pieces).bytes == 9);
    CHECK(end.stream.writable());
    std::array<char, 100> message;
    CHECK(::recv(end.far.get(), message.data(), message.size(), 0) == 9);
    CHECK(std::string(message.data(), 9) == "head body");
}

TEST_CASE("writing to a peer that is gone fails, without a signal") {
    Watched end(unix_pair());
    end.far = Fd();
    auto result = end.write("x");
    CHECK(result.status == IoStatus::failed);
    CHECK(result.error == EPIPE);
    CHECK(result.bytes == 0);
    CHECK_FALSE(end.stream.writable());
}

TEST_CASE("after a failed write the peer's last words can still be read") {
    Watched end(unix_pair());
    send_some(end.far, "too large");
    REQUIRE(end.until_called());
    end.read(4);
    end.read(5);
    CHECK(end.read(1).status == IoStatus::again);
    send_some(end.far, "bye");
    end.far = Fd();
    REQUIRE(end.write("x").status == IoStatus::failed);
    end.stream.expect_end();
    CHECK(end.stream.readable());
    end.read(100);
    CHECK(end.room == "bye");
}

TEST_CASE("a look takes nothing") {
    Watched end(unix_pair());
    CHECK(end.stream.peek().status == IoStatus::again);
    send_some(end.far, "hello");
    CHECK(end.stream.peek().status == IoStatus::ok);
    CHECK(end.stream.peek().status == IoStatus::ok);
    REQUIRE(end.until_called());
    end.read(100);
    CHECK(end.room == "hello");
    send_end(end.far);
    CHECK(end.stream.peek().status == IoStatus::closed);
}

TEST_CASE("a look sees a reset") {
    Watched end(tcp_pair());
    reset(end.far);
    CHECK(end.stream.peek().status == IoStatus::failed);
}

TEST_CASE("a shut side is the peer's end, and the other direction goes on") {
    Watched end(tcp_pair());
    end.write("question");
    end.stream.shut_write();
    CHECK(receive(end.far) == "question");
    CHECK(next_at(end.far) == "end");
    send_some(end.far, "answer");
    REQUIRE(end.driven.until([&] { return end.stream.readable(); }));
    end.read(100);
    CHECK(end.room == "answer");
}

TEST_CASE("a closed stream is neither readable nor writable and calls nobody") {
    Watched end(unix_pair());
    send_some(end.far, "hello");
    REQUIRE(end.until_called());
    end.stream.close();
    CHECK_FALSE(end.stream.is_open());
    CHECK_FALSE(end.stream.readable());
    CHECK_FALSE(end.stream.writable());
    CHECK(next_at(end.far) == "reset");
    const int calls = end.calls;
    end.driven.settle();
    CHECK(end.calls == calls);
    end.stream.close();
}

TEST_CASE("closing tells the peer that it has had everything, or that it has not") {
    Watched whole(tcp_pair());
    whole.write("all");
    whole.stream.close();
    CHECK(receive(whole.far) == "all");
    CHECK(next_at(whole.far) == "end");
    Watched part(tcp_pair());
    part.write("a part");
    part.stream.reset_on_close();
    part.stream.close();
    std::array<char, 6> bytes;
    CHECK(::recv(part.far.get(), bytes.data(), bytes.size(), 0) == 6);
    CHECK(next_at(part.far) == "reset");
}

TEST_CASE("a stream that takes over another's socket goes on where that one was") {
    Watched former(tcp_pair());
    CHECK(former.write("out").bytes == 3);
    send_some(former.far, "in, read");
    REQUIRE(former.until_called());
    CHECK(former.read(4).bytes == 4);
    struct Owner final : Stream::Owner {
        void on_ready() override { ++calls; }
        int calls = 0;
    } owner;
    Stream next(former.driven.loop, former.stream, owner);
    CHECK_FALSE(former.stream.is_open());
    CHECK_FALSE(former.stream.readable());
    CHECK(next.sent_bytes() == 3);
    CHECK(next.readable());
    const int before = former.calls;
    REQUIRE(former.driven.until([&] { return owner.calls > 0; }));
    CHECK(former.calls == before);
    std::string room(10, '\0');
    CHECK(next.read(room).bytes == 4);
    CHECK(room.starts_with("read"));
    send_end(former.far);
    CHECK(former.driven.until([&] { return next.peer_closed(); }));
}

}  // namespace weir::net
