#include "app/listening.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "net/sockets.h"

namespace weir::app {

namespace {

using Change = ListeningSet::Change;

config::Listen on_loopback(uint16_t port = 0) {
    return {.address = {.host = "127.0.0.1", .port = port, .path = {}}};
}
config::Listen at_path(const std::string& path) { return {.address = {.host = {}, .port = 0, .path = path}}; }

uint16_t port_of(const net::Fd& socket) { return net::SocketAddress::local_of(socket).port(); }

Change prepared(const ListeningSet& set, const std::vector<config::Listen>& wanted) {
    auto change = set.prepare(wanted);
    REQUIRE(change.has_value());
    return std::move(*change);
}

/// A set that listens on these.
void open(ListeningSet& set, const std::vector<config::Listen>& wanted) {
    set.add(prepared(set, wanted).opened);
}

/// Whether a client finds somebody there.
bool is_open(uint16_t port) {
    const net::Fd client = net::connect_to(*net::SocketAddress::literal(on_loopback(port).address));
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    return ::getpeername(client.get(), reinterpret_cast<sockaddr*>(&peer), &length) == 0;
}

}  // namespace

TEST_CASE("several workers have a socket each of one port, and share that of a UNIX address") {
    net::TemporaryFolder folder;
    ListeningSet set(3);
    open(set, {on_loopback(), at_path(folder.file("s"))});
    const Listening& tcp = *set.all()[0];
    std::set<int> sockets;
    for (size_t worker = 0; worker < 3; ++worker) {
        sockets.insert(tcp.of_worker(worker).get());
        CHECK(port_of(tcp.of_worker(worker)) == port_of(tcp.of_worker(0)));
    }
    CHECK(sockets.size() == 3);
    const Listening& local = *set.all()[1];
    CHECK(&local.of_worker(0) == &local.of_worker(2));
    CHECK(set.addresses() ==
          std::vector<std::string>{"127.0.0.1:" + std::to_string(port_of(tcp.of_worker(0))),
                                   "unix:" + folder.file("s")});
}

TEST_CASE("one worker has one socket") {
    ListeningSet set(1);
    open(set, {on_loopback()});
    CHECK(set.all().front()->sockets.size() == 1);
}

TEST_CASE("a change opens what is new, closes what is not wanted and says what stays as what") {
    net::TemporaryFolder folder;
    ListeningSet set(1);
    config::Listen staying = at_path(folder.file("stays"));
    open(set, {staying, at_path(folder.file("goes"))});
    staying.proxy_protocol = true;
    Change change = prepared(set, {staying, at_path(folder.file("comes"))});
    CHECK(set.all().size() == 2);
    REQUIRE(change.opened.size() == 1);
    CHECK(change.opened.front()->configured.address.path == folder.file("comes"));
    REQUIRE(change.closing.size() == 1);
    CHECK(change.closing.front() == set.all()[1].get());
    REQUIRE(change.staying.size() == 1);
    CHECK(change.staying.front().first == set.all()[0].get());
    CHECK(change.staying.front().second.proxy_protocol);
    CHECK_FALSE(set.all()[0]->configured.proxy_protocol);
}

TEST_CASE("where one address cannot be had, those that were opened with it are closed again") {
    net::TemporaryFolder folder;
    const net::Fd taken = net::listen_on_loopback();
    ListeningSet set(2);
    const auto change = set.prepare({at_path(folder.file("s")), on_loopback(port_of(taken))});
    REQUIRE_FALSE(change.has_value());
    CHECK(change.error() == "cannot listen on 127.0.0.1:" + std::to_string(port_of(taken)) +
                                ": Address already in use; as root `ss -ltnp` shows by whom");
    CHECK_FALSE(std::filesystem::exists(folder.file("s")));
    CHECK(set.all().empty());
}

TEST_CASE("an address is open until its closing has ended, and its file goes with it") {
    net::TemporaryFolder folder;
    ListeningSet set(1);
    open(set, {on_loopback(), at_path(folder.file("s"))});
    const uint16_t port = port_of(set.all()[0]->sockets.front());
    const uint64_t first = set.begin_close(*set.all()[0]);
    const uint64_t second = set.begin_close(*set.all()[1]);
    CHECK(first != second);
    CHECK(is_open(port));
    set.end_close(second);
    CHECK_FALSE(std::filesystem::exists(folder.file("s")));
    CHECK(is_open(port));
    set.end_close(first);
    CHECK_FALSE(is_open(port));
    CHECK(set.all().empty());
}

TEST_CASE("what is closing already is not closed again, nor opened where it is wanted again") {
    ListeningSet set(1);
    open(set, {on_loopback()});
    const config::Listen listen = set.all().front()->configured;
    set.begin_close(*set.all().front());
    CHECK(prepared(set, {}).closing.empty());
    const Change change = prepared(set, {listen});
    CHECK(change.opened.empty());
    CHECK(change.staying.size() == 1);
}

TEST_CASE("a closing that ends late closes nothing that was wanted again since, not even if it closes anew") {
    ListeningSet set(1);
    open(set, {on_loopback()});
    Listening& listening = *set.all().front();
    const uint64_t first = set.begin_close(listening);
    ListeningSet::keep(listening);
    set.end_close(first);
    CHECK(set.all().size() == 1);
    const uint64_t second = set.begin_close(listening);
    set.end_close(first);
    CHECK(set.all().size() == 1);
    set.end_close(second);
    CHECK(set.all().empty());
}

TEST_CASE("on a drain all are closed at once") {
    net::TemporaryFolder folder;
    ListeningSet set(2);
    open(set, {on_loopback(), at_path(folder.file("s"))});
    const uint16_t port = port_of(set.all()[0]->sockets.front());
    set.close_all();
    CHECK_FALSE(is_open(port));
    CHECK_FALSE(std::filesystem::exists(folder.file("s")));
}

}  // namespace weir::app
