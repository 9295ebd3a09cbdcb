#include "proxy/tunnel.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

constexpr size_t kSlabBytes = 16384;

/// A tunnel between two sockets, pumped as its owner would: when either is ready, and again after `more`.
class Tunnelled {
  public:
    explicit Tunnelled(net::SocketPair (*pair)() = &net::tcp_pair)
        : client(driven, pair()), upstream(driven, pair()) {
        client.ready = upstream.ready = [this] { pump(); };
    }

    bool until(std::function<bool()> holds) {
        return driven.until([&] {
            if (state == Tunnel::State::more) pump();
            return holds();
        });
    }
    void pump() {
        if (state == Tunnel::State::open || state == Tunnel::State::more) state = tunnel.pump();
    }

    net::DrivenLoop driven;
    MemoryBudget budget{size_t{64} << 20};
    BlockPool blocks{budget};
    std::array<char, kSlabBytes> slab;
    End client;
    End upstream;
    Tunnel tunnel{client.stream, upstream.stream, blocks, slab};
    Tunnel::State state = Tunnel::State::open;
};

net::SocketPair unix_stream_pair() { return net::unix_pair(); }

std::string random_bytes(std::mt19937& random, size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
}

}  // namespace

TEST_CASE("bytes pass a tunnel in both directions and are counted") {
    Tunnelled way;
    net::send_some(way.client.far, "question");
    net::send_some(way.upstream.far, "answer!");
    std::string to_app;
    std::string to_client;
    CHECK(way.until([&] {
        to_app += net::receive(way.upstream.far);
        to_client += net::receive(way.client.far);
        return to_app == "question" && to_client == "answer!";
    }));
    CHECK(way.tunnel.bytes_to_upstream() == 8);
    CHECK(way.tunnel.bytes_to_client() == 7);
    CHECK(way.state == Tunnel::State::open);
    CHECK(way.blocks.held_bytes() == 0);
}

TEST_CASE("bytes that were read before the tunnel was made go first") {
    Tunnelled way;
    net::send_some(way.client.far, "then this");
    net::send_some(way.upstream.far, "and that");
    way.tunnel.prepend_to_upstream("first this, ");
    way.tunnel.prepend_to_client("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    way.tunnel.prepend_to_client("first that, ");
    std::string to_app;
    std::string to_client;
    CHECK(way.until([&] {
        to_app += net::receive(way.upstream.far);
        to_client += net::receive(way.client.far);
        return to_app.ends_with("then this") && to_client.ends_with("and that");
    }));
    CHECK(to_app == "first this, then this");
    CHECK(to_client == "HTTP/1.1 101 Switching Protocols\r\n\r\nfirst that, and that");
}

TEST_CASE("a side's end is passed on behind its bytes, and the other direction goes on") {
    Tunnelled way;
    net::send_some(way.client.far, "last question");
    net::send_end(way.client.far);
    std::string to_app;
    REQUIRE(way.until([&] {
        to_app += net::receive(way.upstream.far);
        return net::next_at(way.upstream.far) == "end";
    }));
    CHECK(to_app == "last question");
    CHECK(way.state == Tunnel::State::open);
    CHECK(net::next_at(way.client.far) == "nothing");

    net::send_some(way.upstream.far, "a late answer");
    net::send_end(way.upstream.far);
    std::string to_client;
    REQUIRE(way.until([&] {
        to_client += net::receive(way.client.far);
        return way.state == Tunnel::State::ended;
    }));
    to_client += net::receive(way.client.far);
    CHECK(to_client == "a late answer");
    CHECK(net::next_at(way.client.far) == "end");
}

TEST_CASE("a reset of either side breaks the tunnel") {
    for (bool is_client : {true, false}) {
        Tunnelled way;
        net::reset(is_client ? way.client.far : way.upstream.far);
        CHECK(way.until([&] { return way.state == Tunnel::State::broken; }));
    }
}

TEST_CASE("a tunnel whose sink is gone is broken") {
    Tunnelled way(&unix_stream_pair);
    way.client.far = net::Fd();
    net::send_some(way.upstream.far, "anybody there?");
    CHECK(way.until([&] { return way.state == Tunnel::State::broken; }));
}

TEST_CASE("a sink that does not read bounds what is held, and misses nothing when it does") {
    Tunnelled way;
    constexpr unsigned kSeed = 20240817;
    INFO("seed ", kSeed);
    std::mt19937 random(kSeed);
    const std::string sent = random_bytes(random, size_t{24} << 20);

    size_t taken = 0;
    size_t most_held = 0;
    auto send_more = [&] {
        most_held = std::max(most_held, way.blocks.held_bytes());
        size_t count = net::send_some(way.client.far, std::string_view(sent).substr(taken));
        taken += count;
        return count;
    };
    // Full is when the tunnel is given many turns and the client still cannot send.
    for (int idle_rounds = 0; idle_rounds < 20;) {
        idle_rounds = send_more() > 0 ? 0 : idle_rounds + 1;
        if (way.state == Tunnel::State::more) way.pump();
        way.driven.settle(10);
    }
    REQUIRE(taken < sent.size());
    CHECK(way.state == Tunnel::State::open);
    CHECK(way.client.stream.readable());
    CHECK(most_held > 0);
    CHECK(most_held <= 2 * kSlabBytes);

    std::string got;
    CHECK(way.until([&] {
        send_more();
        got += net::receive(way.upstream.far);
        return got.size() == sent.size();
    }));
    CHECK((got == sent));
    CHECK(most_held <= 2 * kSlabBytes);
    CHECK(way.blocks.held_bytes() == 0);
}

TEST_CASE("a direction that is full does not hold up the other one") {
    Tunnelled way;
    const std::string flood(size_t{1} << 20, 'x');
    for (int idle_rounds = 0; idle_rounds < 20;) {
        idle_rounds = net::send_some(way.client.far, flood) > 0 ? 0 : idle_rounds + 1;
        if (way.state == Tunnel::State::more) way.pump();
        way.driven.settle(10);
    }
    net::send_some(way.upstream.far, "answer");
    std::string to_client;
    CHECK(way.until([&] {
        to_client += net::receive(way.client.far);
        return to_client == "answer";
    }));
}

TEST_CASE("too much for one turn is said, and left for the next") {
    Tunnelled way;
    way.client.ready = way.upstream.ready = [] {};
    const std::string much(10 * kSlabBytes, 'x');
    REQUIRE(net::send_some(way.client.far, much) == much.size());
    REQUIRE(way.driven.until([&] { return way.client.stream.readable(); }));
    CHECK(way.tunnel.pump() == Tunnel::State::more);
    CHECK(way.tunnel.bytes_to_upstream() < much.size());
    CHECK(way.tunnel.bytes_to_upstream() >= kSlabBytes);
}

}  // namespace weir::proxy
