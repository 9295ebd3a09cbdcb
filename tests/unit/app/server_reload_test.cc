// What a reload changes and what it leaves, as far as a server without clients shows it. What it does to
// those is tests/e2e/test_reload.py's.
#include <doctest/doctest.h>
#include <poll.h>

#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include "app/server.h"
#include "net/quiet_log.h"
#include "net/sockets.h"
#include "proxy/worker_parts.h"

namespace weir::app {

namespace {

Endpoint at_path(const std::string& path) { return {.host = {}, .port = 0, .path = path}; }

/// Waits for as long as a test may take.
void wait_for(const net::Fd& fd, short events) {
    pollfd waited{.fd = fd.get(), .events = events, .revents = 0};
    REQUIRE(poll(&waited, 1, 20'000) == 1);
}

net::Fd connect_to(const std::string& address) {
    net::Fd client = net::connect_to(*net::SocketAddress::literal(*parse_endpoint(address)));
    wait_for(client, POLLOUT);
    return client;
}

/// A server on a thread of its own, and what its operator does.
class Running {
  public:
    enum class Reads : uint8_t { again, once };

    explicit Running(config::Settings settings, Reads reads = Reads::again) {
        settings.admin = {.address = Endpoint{.host = "127.0.0.1", .port = 0, .path = {}},
                          .is_address_own = true,
                          .token = {}};
        settings.log.level = config::LogLevel::error;
        settings.drain = std::chrono::seconds(1);
        first_ = {.settings = settings, .effective = "first\n"};
        thread_ = std::thread([this, reads] { run(reads); });
        admin_ = started_.get_future().get();
        REQUIRE_FALSE(admin_.empty());
    }
    /// It may have ended already.
    ~Running() {
        if (auto client = net::start_connect(*net::SocketAddress::literal(*parse_endpoint(admin_)))) {
            pollfd connected{.fd = client->get(), .events = POLLOUT, .revents = 0};
            poll(&connected, 1, 1000);
            net::send_some(*client, "POST /drain HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        thread_.join();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    /// Whole, until weir closes.
    [[nodiscard]] std::string ask(const std::string& method, const std::string& path) const {
        const net::Fd client = connect_to(admin_);
        const std::string request =
            method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        REQUIRE(net::send_some(client, request) == request.size());
        std::string got;
        while (net::next_at(client) != "end") {
            wait_for(client, POLLIN);
            got += net::receive(client);
        }
        return got;
    }
    [[nodiscard]] bool shows(const std::string& path, const std::string& what) const {
        return ask("GET", path).find(what) != std::string::npos;
    }
    /// Until it does. The pages go over to a plan when the workers have.
    void wait_until_it_shows(const std::string& path, const std::string& what) const {
        for (int tries = 0; tries < 5000; ++tries) {
            if (shows(path, what)) return;
            std::this_thread::yield();
        }
        FAIL(path << " does not show " << what << " but " << ask("GET", path));
    }
    /// What is found where the configuration is read again.
    std::string reload(Result<Configuration, std::string> found) {
        {
            const std::lock_guard lock(mutex_);
            next_ = std::move(found);
        }
        return ask("POST", "/reload");
    }
    [[nodiscard]] Configuration changed(std::string effective) const {
        Configuration configuration = first_;
        configuration.effective = std::move(effective);
        return configuration;
    }

  private:
    void run(Reads reads) {
        ReadAgain read_again;
        if (reads == Reads::again) {
            read_again = [this] {
                const std::lock_guard lock(mutex_);
                return next_;
            };
        }
        auto server = Server::start(first_, std::move(read_again));
        started_.set_value(server ? (*server)->admin_address() : "");
        if (server) (*server)->run();
    }

    QuietLog quiet_;
    Configuration first_;
    std::mutex mutex_;
    Result<Configuration, std::string> next_ = fail(std::string("nothing was read"));
    std::promise<std::string> started_;
    std::string admin_;
    std::thread thread_;
};

config::Settings listening_at(const std::string& path) {
    config::Settings settings = proxy::wide_settings();
    settings.listen = {{.address = at_path(path)}};
    settings.workers = 2;
    return settings;
}

constexpr const char* kGood = "weir_config_reload_success 1\n";
constexpr const char* kBad = "weir_config_reload_success 0\n";

}  // namespace

TEST_CASE("another configuration takes the place of the one that holds, its addresses too") {
    net::TemporaryFolder folder;
    Running running(listening_at(folder.file("first")));
    CHECK(running.shows("/config", "\r\n\r\nfirst\n"));
    CHECK(running.shows("/metrics", kGood));
    Configuration next = running.changed("second\n");
    next.settings.listen = {{.address = at_path(folder.file("second"))}};
    next.settings.limits.concurrency = 7;
    CHECK(running.reload(next).starts_with("HTTP/1.1 200 "));
    running.wait_until_it_shows("/config", "\r\n\r\nsecond\n");
    running.wait_until_it_shows("/metrics", "weir_in_flight_limit{queue=\"concurrency\"} 7\n");
    CHECK(running.shows("/metrics", kGood));
    connect_to("unix:" + folder.file("second"));
    while (std::filesystem::exists(folder.file("first"))) std::this_thread::yield();
}

TEST_CASE("a configuration that cannot be read changes nothing, and whoever asked is told what is wrong") {
    net::TemporaryFolder folder;
    Running running(listening_at(folder.file("first")));
    const std::string refused = running.reload(fail(std::string("line 1 is wrong\nline 2 too")));
    CHECK(refused.starts_with("HTTP/1.1 422 "));
    CHECK_MESSAGE(refused.find("\r\n\r\nline 1 is wrong\nline 2 too\n") != std::string::npos, refused);
    CHECK(running.shows("/config", "\r\n\r\nfirst\n"));
    CHECK(running.shows("/metrics", kBad));
    CHECK(running.reload(running.changed("second\n")).starts_with("HTTP/1.1 200 "));
    CHECK(running.shows("/metrics", kGood));
}

TEST_CASE("where something of it cannot be had, the rest does not take effect either") {
    net::TemporaryFolder folder;
    const net::Fd taken = net::listen_on_loopback();
    Running running(listening_at(folder.file("first")));
    Configuration next = running.changed("second\n");
    next.settings.limits.concurrency = 7;
    const std::vector<config::Listen> first = next.settings.listen;

    next.settings.listen = {{.address = at_path(folder.file("second"))},
                            {.address = *parse_endpoint(net::SocketAddress::local_of(taken).text())}};
    const std::string no_address = running.reload(next);
    CHECK_MESSAGE(no_address.find("Address already in use") != std::string::npos, no_address);

    next.settings.listen = first;
    next.settings.log.access = folder.file("missing/log");
    const std::string no_log = running.reload(next);
    CHECK_MESSAGE(no_log.find("missing/log") != std::string::npos, no_log);

    next.settings.log.access = "off";
    next.settings.listen[0].tls = {{.certificate = "/nowhere.pem", .key = "/nowhere.key", .client_ca = {}}};
    const std::string no_certificate = running.reload(next);
    CHECK_MESSAGE(no_certificate.find("/nowhere.pem") != std::string::npos, no_certificate);

    CHECK(running.shows("/config", "\r\n\r\nfirst\n"));
    CHECK(running.shows("/metrics", kBad));
    CHECK_FALSE(running.shows("/metrics", "weir_in_flight_limit{"));
    CHECK_FALSE(std::filesystem::exists(folder.file("second")));
    connect_to("unix:" + folder.file("first"));
}

TEST_CASE("what was started without anything to read again has nothing to reload") {
    net::TemporaryFolder folder;
    Running running(listening_at(folder.file("first")), Running::Reads::once);
    const std::string refused = running.reload(running.changed("second\n"));
    CHECK(refused.starts_with("HTTP/1.1 422 "));
    CHECK(refused.find("there is no configuration to read again") != std::string::npos);
}

TEST_CASE("while it drains nothing is reloaded") {
    net::TemporaryFolder folder;
    Running running(listening_at(folder.file("first")));
    // It has not asked yet, and may: the drain waits for it.
    const net::Fd client = connect_to("unix:" + folder.file("first"));
    running.wait_until_it_shows("/metrics", "weir_client_connections 1\n");
    CHECK(running.ask("POST", "/drain").starts_with("HTTP/1.1 202 "));
    running.wait_until_it_shows("/readyz", "draining\n");
    const std::string refused = running.reload(running.changed("second\n"));
    CHECK(refused.find("weir is draining") != std::string::npos);
    CHECK(running.shows("/config", "\r\n\r\nfirst\n"));
}

}  // namespace weir::app
