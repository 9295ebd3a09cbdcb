#include "proxy/client_h2.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "h2_frames.h"
#include "net/quiet_log.h"
#include "proxy/clients.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;
namespace frames = http::frames;
using frames::Frame;

/// The last stream that the first GOAWAY of a gentle end names (RFC 9113, 6.8).
constexpr uint32_t kNobody = 0x7fffffff;

/// weir answers it by itself, and resets its stream.
std::string malformed(uint32_t stream) {
    return frames::frame(frames::kHeaders, frames::kEndHeaders | frames::kEndStream, stream,
                         frames::block({{":method", "GET"}, {":path", "/"}}));
}

/// The head of a request whose body is due, so that no app is asked yet.
std::string upload(uint32_t stream) {
    return frames::frame(
        frames::kHeaders, frames::kEndHeaders, stream,
        frames::block({{":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}}));
}

const Frame* find(const std::vector<Frame>& all, uint8_t type) {
    const auto at =
        std::find_if(all.begin(), all.end(), [type](const Frame& each) { return each.type == type; });
    return at == all.end() ? nullptr : &*at;
}

/// Frames at `far`, until one of them is `type`.
std::vector<Frame> frames_until(Clients& clients, const net::Fd& far, uint8_t type) {
    std::string got;
    const auto has_it = [&] {
        got += net::receive(far);
        const auto all = frames::parse(got);
        return std::any_of(all.begin(), all.end(), [type](const Frame& each) { return each.type == type; });
    };
    REQUIRE(clients.parts.driven.until(has_it));
    return frames::parse(got);
}

}  // namespace

TEST_CASE("a client that begins with HTTP/2 is spoken to so, however its preface is cut") {
    for (const size_t cut : {1U, 10U, 18U, 20U, 24U, 30U, 33U}) {
        CAPTURE(cut);
        Clients clients;
        net::Fd far = clients.add();
        const std::string preface = frames::preface();
        net::send_some(far, preface.substr(0, cut));
        clients.parts.driven.settle(5);
        net::send_some(far, preface.substr(cut));
        const auto said = frames_until(clients, far, frames::kSettings);
        CHECK(said.front().type == frames::kSettings);
        CHECK(clients.set->size() == 1);
        CHECK(clients.entered() == 1);
        clients.parts.driven.settle(5);
        CHECK(clients.parts.kit().blocks.held_bytes() == 0);
        far = net::Fd();
        REQUIRE(clients.parts.driven.until([&] { return clients.set->empty(); }));
        clients.parts.driven.settle(1);
        CHECK(clients.entered() == 0);
    }
}

TEST_CASE("where HTTP/2 is turned off its preface is a request of a version too far") {
    Clients clients;
    clients.entrance->speaks_http2 = false;
    net::Fd far = clients.add();
    net::send_some(far, frames::preface());
    std::string got;
    const auto has_head = [&] {
        got += net::receive(far);
        return got.find("\r\n\r\n") != std::string::npos;
    };
    REQUIRE(clients.parts.driven.until(has_head));
    CHECK(got.starts_with("HTTP/1.1 505 "));
}

TEST_CASE("a malformed request of HTTP/2 is answered, then reset, and leaves nothing") {
    Clients clients;
    net::Fd far = clients.add();
    const std::string head = frames::block({{":method", "GET"}, {":path", "/"}});
    net::send_some(far, frames::preface() + frames::frame(frames::kHeaders, frames::kEndHeaders, 1, head));
    const auto said = frames_until(clients, far, frames::kReset);
    const auto body =
        std::find_if(said.begin(), said.end(), [](const Frame& each) { return each.type == frames::kData; });
    REQUIRE(body != said.end());
    CHECK(body->payload.find(":scheme is missing") != std::string::npos);
    CHECK_FALSE(body->is_last());
    CHECK(said.back().number_at(0) == 1);
    clients.parts.driven.settle(5);
    CHECK(clients.parts.kit().blocks.held_bytes() == 0);
    CHECK(clients.parts.kit().metrics->total(Total::ended) == 1);
}

TEST_CASE("draining tells an idle client of HTTP/2 twice, and then closes") {
    Clients clients;
    net::Fd far = clients.add();
    net::send_some(far, frames::preface() + malformed(1));
    frames_until(clients, far, frames::kReset);
    clients.parts.driven.settle(5);
    net::receive(far);
    clients.parts.kit().draining = true;
    clients.set->drain();
    const auto notice = frames_until(clients, far, frames::kPing);
    REQUIRE(find(notice, frames::kGoaway) != nullptr);
    CHECK(find(notice, frames::kGoaway)->number_at(0) == kNobody);
    net::send_some(far, frames::frame(frames::kPing, frames::kAck, 0, find(notice, frames::kPing)->payload));
    const auto last = frames_until(clients, far, frames::kGoaway);
    CHECK(last.front().number_at(0) == 1);
    REQUIRE(clients.parts.driven.until([&] { return net::next_at(far) == "end"; }));
    far = net::Fd();
    CHECK(clients.parts.driven.until([&] { return clients.set->empty(); }));
}

TEST_CASE("draining leaves one that has not asked yet a moment to do so, and only then tells it of the end") {
    Clients clients;
    net::Fd asks = clients.add();
    net::Fd silent = clients.add();
    for (const net::Fd* far : {&asks, &silent}) {
        net::send_some(*far, frames::preface());
        frames_until(clients, *far, frames::kSettings);
    }
    clients.parts.driven.settle(5);
    net::receive(asks);
    net::receive(silent);
    clients.parts.kit().draining = true;
    clients.set->drain();
    clients.parts.driven.settle(20);
    CHECK(net::receive(asks).empty());
    CHECK(net::receive(silent).empty());
    net::send_some(asks, malformed(1));
    const auto said = frames_until(clients, asks, frames::kGoaway);
    REQUIRE(find(said, frames::kGoaway) != nullptr);
    CHECK(find(said, frames::kGoaway)->number_at(0) == kNobody);
    CHECK(net::receive(silent).empty());
    const auto at_last = frames_until(clients, silent, frames::kGoaway);
    CHECK(find(at_last, frames::kGoaway)->number_at(0) == kNobody);
}

TEST_CASE("a drain that finds a preface cut short ends the connection all the same") {
    Clients clients;
    net::Fd far = clients.add();
    net::send_some(far, frames::preface().substr(0, 20));
    clients.parts.driven.settle(5);
    clients.parts.kit().draining = true;
    clients.set->drain();
    clients.set->drain();  // twice is once
    REQUIRE(clients.parts.driven.until([&] {
        net::receive(far);
        return net::next_at(far) == "end";
    }));
    far = net::Fd();
    CHECK(clients.parts.driven.until([&] { return clients.set->empty(); }));
}

TEST_CASE("shutting closes clients of HTTP/2 too, with whatever they have under way") {
    Clients clients;
    net::Fd far = clients.add();
    const std::string head = frames::get_block().substr(0, 5);
    net::send_some(far, frames::preface() + frames::frame(frames::kHeaders, 0, 1, head));
    frames_until(clients, far, frames::kSettings);
    clients.set->shut();
    CHECK(clients.set->empty());
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
}

namespace {

/// One that has sent its preface, and then these bytes.
net::Fd speaker(Clients& clients, const std::string& bytes) {
    net::Fd far = clients.add();
    net::send_some(far, frames::preface() + bytes);
    return far;
}

/// The error of the last GOAWAY, when the connection has ended.
uint32_t farewell(Clients& clients, net::Fd& far) {
    std::string got;
    const auto has_ended = [&] {
        got += net::receive(far);
        return net::next_at(far) == "end";
    };
    REQUIRE(clients.parts.driven.until(has_ended));
    uint32_t error = 0;
    for (const Frame& each : frames::parse(got))
        if (each.type == frames::kGoaway) error = each.number_at(4);
    far = net::Fd();
    CHECK(clients.parts.driven.until([&] { return clients.set->empty(); }));
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
    CHECK(clients.parts.kit().blocks.held_bytes() == 0);
    return error;
}

std::string many(size_t count, const std::function<std::string(uint32_t)>& each) {
    std::string all;
    for (uint32_t number = 0; number < count; ++number) all += each(2 * number + 1);
    return all;
}

constexpr uint32_t kCalm = 11;

}  // namespace

TEST_CASE("a preface that does not go on is not waited for") {
    config::Settings settings = wide_settings();
    settings.timeout.header = 1ms;
    Clients clients(settings);
    net::Fd far = clients.add();
    net::send_some(far, frames::preface().substr(0, 20));
    CHECK(farewell(clients, far) == 0);
    CHECK(clients.parts.kit().metrics->total(Total::ended) == 0);
}

TEST_CASE("a head that does not end in time ends the connection") {
    QuietLog quiet;
    config::Settings settings = wide_settings();
    settings.timeout.header = 1ms;
    Clients clients(settings);
    const std::string head = frames::get_block();
    net::Fd far = speaker(clients, frames::frame(frames::kHeaders, 0, 1, head));
    CHECK(farewell(clients, far) == kCalm);
}

TEST_CASE("a connection without requests is ended with a word") {
    config::Settings settings = wide_settings();
    settings.timeout.keepalive = 1ms;
    Clients clients(settings);
    net::Fd far = speaker(clients, {});
    const auto said = frames_until(clients, far, frames::kGoaway);
    CHECK(find(said, frames::kGoaway)->number_at(4) == 0);
    CHECK(farewell(clients, far) == 0);
}

TEST_CASE("what floods a connection ends it, and what is within the bound does not") {
    QuietLog quiet;
    using policy::FloodGuard;
    const auto ping = [](uint32_t) { return frames::frame(frames::kPing, 0, 0, "12345678"); };
    const auto opened_and_reset = [](uint32_t stream) {
        return upload(stream) + frames::frame(frames::kReset, 0, stream, frames::number(8));
    };
    const auto empty = [](uint32_t) { return frames::frame(frames::kData, 0, 1); };
    struct Row {
        std::string what;
        size_t bound;
        std::string first;
        std::function<std::string(uint32_t)> each;
    };
    for (const Row& row : {Row{"resets", FloodGuard::kResets, "", opened_and_reset},
                           Row{"malformed requests", FloodGuard::kResets, "", malformed},
                           Row{"empty DATA", FloodGuard::kResets, upload(1), empty},
                           // The SETTINGS of the preface are one.
                           Row{"pings", FloodGuard::kControls - 1, "", ping}}) {
        CAPTURE(row.what);
        for (const bool is_past : {false, true}) {
            Clients clients;
            net::Fd far = speaker(clients, row.first);
            // Time gives tokens back: how many too many the first one is depends on the machine.
            const std::string flood = many(row.bound * (is_past ? 2 : 1), row.each);
            for (size_t sent = 0; sent < flood.size(); clients.parts.driven.settle(2)) {
                sent += net::send_some(far, std::string_view(flood).substr(sent, 900));
                net::receive(far);
                if (net::next_at(far) == "end") break;
            }
            clients.parts.driven.settle(20);
            net::receive(far);
            CHECK((net::next_at(far) == "end") == is_past);
        }
    }
}

TEST_CASE("a head many times too long ends the connection, one a little too long is answered") {
    QuietLog quiet;
    config::Settings settings = wide_settings();
    settings.limits.header_bytes = 1024;
    for (const size_t fields : {10, 40}) {
        CAPTURE(fields);
        Clients clients(settings);
        frames::Pairs pairs{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
        for (size_t i = 0; i < fields; ++i) pairs.emplace_back("x", std::string(120, 'v'));
        net::Fd far =
            speaker(clients, frames::frame(frames::kHeaders, frames::kEndHeaders | frames::kEndStream, 1,
                                           frames::block(pairs)));
        if (fields == 40) {
            CHECK(farewell(clients, far) == kCalm);
        } else {
            const auto said = frames_until(clients, far, frames::kData);
            CHECK(find(said, frames::kData)->payload.find("header_too_large") != std::string::npos);
            CHECK(find(said, frames::kGoaway) == nullptr);
        }
    }
}

TEST_CASE("as many streams as there may be are open at once, and one more is an error") {
    Clients clients;
    net::Fd far = speaker(clients, many(ClientH2::kMaxStreams, upload));
    frames_until(clients, far, frames::kSettings);
    net::send_some(far, frames::frame(frames::kSettings, frames::kAck, 0));
    clients.parts.driven.settle(10);
    CHECK(clients.parts.kit().metrics->total(Total::begun) == ClientH2::kMaxStreams);
    CHECK(net::next_at(far) == "nothing");
    net::send_some(far, upload(2 * ClientH2::kMaxStreams + 1));
    CHECK(farewell(clients, far) == 1);
    CHECK(clients.parts.kit().metrics->total(Total::ended) == ClientH2::kMaxStreams);
}

TEST_CASE("a client that leaves in the middle of its uploads leaves nothing behind") {
    Clients clients;
    net::Fd far =
        speaker(clients, upload(1) + upload(3) + frames::frame(frames::kData, 0, 3, std::string(9000, 'b')));
    REQUIRE(clients.parts.driven.until([&] { return clients.parts.kit().blocks.held_bytes() > 0; }));
    far = net::Fd();
    REQUIRE(clients.parts.driven.until([&] { return clients.set->empty(); }));
    clients.parts.driven.settle(1);
    CHECK(clients.entered() == 0);
    CHECK(clients.parts.kit().blocks.held_bytes() == 0);
    CHECK(clients.parts.kit().metrics->total(Total::ended) == 2);
}

}  // namespace weir::proxy
