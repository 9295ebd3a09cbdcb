#include "proxy/probe.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

using namespace std::chrono_literals;
using policy::CheckResult;

config::Settings asking_for(const std::string& path) {
    config::Settings settings = wide_settings();
    settings.health.path = path;
    settings.health.expect.statuses = {{200, 399}};
    return settings;
}

/// One check, and the server at its far end.
class Checked final : public Probe::Owner {
  public:
    explicit Checked(const std::string& body = {}, bool over_tcp = false)
        : question(question_of(body)),
          pair(over_tcp ? net::tcp_pair() : net::unix_pair()),
          far(std::move(pair.far)) {
        probe.emplace(driven.loop, std::move(pair.near), question, *this);
    }

    void on_found(Probe::Finding finding) override {
        ++times;
        found = std::move(finding);
    }

    /// The server has read the request and answers it.
    CheckResult answered(std::string_view answer) {
        until_asked();
        net::send_some(far, answer);
        return result();
    }
    CheckResult result() {
        REQUIRE(driven.until([&] { return found.has_value(); }));
        return found->result;
    }
    void until_asked() {
        REQUIRE(driven.until([&] {
            received += net::receive(far);
            return received.ends_with("\r\n\r\n");
        }));
    }
    /// As much as it takes, until it has concluded.
    void flood(std::string_view piece) {
        REQUIRE(driven.until([&] {
            if (!found) sent += net::send_some(far, piece);
            return found.has_value();
        }));
    }

    static Question question_of(const std::string& body) {
        config::Settings settings = asking_for("/up");
        settings.health.expect.body = body;
        return question_for(settings, settings.upstream.servers[0]);
    }

    net::DrivenLoop driven;
    Question question;
    net::SocketPair pair;
    net::Fd far;
    std::optional<Probe> probe;
    std::optional<Probe::Finding> found;
    int times = 0;
    size_t sent = 0;
    std::string received;
};

}  // namespace

TEST_CASE("a server is asked for the path, under its own name, on a connection that ends") {
    config::Settings settings = asking_for("/deep/up");
    CHECK(question_for(settings, settings.upstream.servers[0]).request ==
          "GET /deep/up HTTP/1.1\r\nHost: 127.0.0.1:5000\r\nUser-Agent: weir-health\r\nConnection: "
          "close\r\n\r\n");
    const config::Server at_path{.address = {.host = {}, .port = 0, .path = "/run/app.sock"}};
    CHECK(question_for(settings, at_path).request.find("\r\nHost: localhost\r\n") != std::string::npos);
    settings.upstream.host = "app.example";
    CHECK(question_for(settings, at_path).request.find("\r\nHost: app.example\r\n") != std::string::npos);
}

TEST_CASE("the request arrives byte for byte, and nothing behind it") {
    Checked check;
    check.until_asked();
    check.driven.settle();
    CHECK(check.received + net::receive(check.far) == check.question.request);
}

TEST_CASE("an answer that is whole is judged, however it is framed and cut up") {
    const std::vector<std::string> answers{
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nit's fine",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nit's\r\n5\r\n fine\r\n0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nit's fine",
    };
    for (const std::string& answer : answers) {
        CAPTURE(answer);
        CHECK(Checked("s fi").answered(answer) == CheckResult::passed);
        CHECK(Checked("bad").answered(answer) == CheckResult::wrong_body);
        Checked slowly("s fi");
        slowly.until_asked();
        for (size_t at = 0; at < answer.size(); ++at) {
            REQUIRE_FALSE(slowly.found);
            REQUIRE(net::send_some(slowly.far, answer.substr(at, 1)) == 1);
            slowly.driven.settle(3);
        }
        CHECK(slowly.result() == CheckResult::passed);
    }
}

TEST_CASE("an answer without a length is whole where the server closes, and not before") {
    Checked check("fine");
    check.until_asked();
    net::send_some(check.far, "HTTP/1.0 200 OK\r\n\r\nfine");
    check.driven.settle();
    CHECK_FALSE(check.found);
    net::send_end(check.far);
    CHECK(check.result() == CheckResult::passed);
}

TEST_CASE("an answer that has no body is whole with its head") {
    CHECK(Checked().answered("HTTP/1.1 204 No Content\r\n\r\n") == CheckResult::passed);
    CHECK(Checked("x").answered("HTTP/1.1 204 No Content\r\n\r\n") == CheckResult::wrong_body);
}

TEST_CASE("of an answer with the wrong status the body is not waited for") {
    Checked check("fine");
    CHECK(check.answered("HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\n") == CheckResult::wrong_status);
    CHECK(check.found->cause == "it answered /up with 500");
    CHECK(check.found->was_connected);
}

TEST_CASE("an answer that is no sound HTTP is broken, and so is one that ends early") {
    const std::vector<std::string> answers{
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    };
    for (const std::string& answer : answers) {
        CAPTURE(answer);
        CHECK(Checked().answered(answer) == CheckResult::broken);
    }
    for (const char* answer : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"}) {
        CAPTURE(answer);
        Checked check;
        check.until_asked();
        net::send_some(check.far, answer);
        net::send_end(check.far);
        CHECK(check.result() == CheckResult::broken);
        CHECK((check.found->cause.find("without an answer") != std::string::npos) == (*answer == '\0'));
    }
}

TEST_CASE("a reset is no end of an answer, even of one without a length") {
    Checked check({}, true);
    check.until_asked();
    net::send_some(check.far, "HTTP/1.0 200 OK\r\n\r\nfine");
    check.driven.settle();
    net::reset(check.far);
    CHECK(check.result() == CheckResult::broken);
}

TEST_CASE("what a server says without being asked counts, also where it then closes") {
    Checked check({}, true);
    net::send_some(check.far, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    check.far = net::Fd();
    CHECK(check.result() == CheckResult::wrong_status);
}

TEST_CASE("of an endless body the beginning is read and searched, and no more") {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n";
    const std::string at_the_end = std::string(Probe::kMostBody - 4, '.') + "fine";
    CHECK(Checked("fine").answered(head + at_the_end) == CheckResult::passed);
    CHECK(Checked("fine").answered(head + "." + at_the_end) == CheckResult::wrong_body);
    Checked check;
    check.until_asked();
    net::send_some(check.far, head);
    check.flood(std::string(4096, '.'));
    CHECK(check.result() == CheckResult::passed);
}

TEST_CASE("an endless head, endless interim answers and endless trailers are given up") {
    for (const char* begin :
         {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
        CAPTURE(begin);
        Checked check;
        check.until_asked();
        net::send_some(check.far, begin);
        check.flood("X-A: yes\r\n");
        CHECK(check.result() == CheckResult::broken);
    }
    Checked check;
    check.until_asked();
    check.flood("HTTP/1.1 103 Early Hints\r\n\r\n");
    CHECK(check.result() == CheckResult::broken);
    CHECK(check.sent < 100000);
}

TEST_CASE("a check that is given up says what it was waiting for") {
    Checked connecting;
    connecting.probe->give_up(2s);
    CHECK(connecting.result() == CheckResult::timed_out);
    CHECK_FALSE(connecting.found->was_connected);
    CHECK(connecting.found->cause == "no connection within 2s");

    Checked silent;
    silent.until_asked();
    silent.probe->give_up(250ms);
    CHECK(silent.found->was_connected);
    CHECK(silent.found->cause == "no answer within 250ms");

    Checked slow;
    slow.until_asked();
    net::send_some(slow.far, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok");
    slow.driven.settle();
    slow.probe->give_up(2s);
    CHECK(slow.found->cause == "no complete answer within 2s");
}

TEST_CASE("a check concludes once, and then lets go of its connection") {
    Checked check;
    CHECK(check.answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Oh\r\n\r\n") ==
          CheckResult::passed);
    CHECK(net::next_at(check.far) == "end");
    check.probe->give_up(1s);
    check.driven.settle();
    CHECK(check.times == 1);
}

TEST_CASE("a refused connection is told from one that broke") {
    net::DrivenLoop driven;
    net::Fd listening = net::listen_on_loopback();
    const net::SocketAddress address = net::SocketAddress::local_of(listening);
    listening = net::Fd();
    Checked check;
    check.probe.emplace(driven.loop, net::connect_to(address), check.question, check);
    REQUIRE(driven.until([&] { return check.found.has_value(); }));
    CHECK(check.found->result == CheckResult::no_connection);
    CHECK_FALSE(check.found->was_connected);
    CHECK(check.found->cause == "Connection refused");
    check.probe.reset();
}

}  // namespace weir::proxy
