// What stands around a part of a worker in its tests: a loop that the test drives, and a kit.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "net/driven_loop.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "proxy/connection_gate.h"
#include "proxy/kit.h"
#include "proxy/plan.h"
#include "proxy/upstream_pool.h"

namespace weir::proxy {

/// Every bound wide enough not to matter.
inline config::Settings wide_settings() {
    using namespace std::chrono_literals;
    config::Settings settings;
    settings.upstream.servers = {{.address = {.host = "127.0.0.1", .port = 5000, .path = {}}}};
    settings.upstream.pool = {
        .max_idle = 100, .min_idle = 0, .idle_timeout = 1h, .max_requests = 0, .max_age = 1h};
    settings.clients.max_connections = settings.clients.max_connections_per_ip = 1000;
    settings.limits.body_bytes.value = 1 << 20;
    settings.limits.keys.value = 1000;
    settings.limits.header_bytes = 16384;
    settings.limits.headers = 100;
    settings.limits.uri_bytes = 8192;
    settings.limits.memory_bytes = size_t{64} << 20;
    settings.buffers = {.request_bytes = 65536, .response_bytes = 65536};
    settings.timeout = {.total = 1h, .header = 1h, .keepalive = 1h, .connect = 1h, .stall = 1h, .tunnel = 1h};
    settings.log.access = "off";
    settings.log.slow = 1h;
    return settings;
}

/// A test may change the settings before it makes the kit.
class WorkerParts {
  public:
    /// What was retired refers to the kit: it goes first.
    ~WorkerParts() { driven.settle(1); }

    Kit& kit() {
        if (!kit_) {
            budget = std::make_unique<MemoryBudget>(settings.limits.memory_bytes);
            gate = std::make_unique<ConnectionGate>(
                ConnectionGate::Bounds{.connections = settings.clients.max_connections,
                                       .per_address = settings.clients.max_connections_per_ip});
            auto plan =
                std::make_shared<Plan>(settings, Surroundings{.seed = HashSeed{1, 2}, .workers = workers});
            kit_ = std::make_unique<Kit>(driven.loop, std::move(plan), *budget, *gate,
                                         std::array<uint64_t, 2>{1, 2});
        }
        return *kit_;
    }

    config::Settings settings = wide_settings();
    size_t workers = 1;  ///< that the plan is for
    net::DrivenLoop driven;
    std::unique_ptr<MemoryBudget> budget;
    std::unique_ptr<ConnectionGate> gate;

  private:
    std::unique_ptr<Kit> kit_;
};

/// A stream whose owner does what the test says. Its far end is the test's.
class End final : public net::Stream::Owner {
  public:
    End(net::DrivenLoop& driven, net::SocketPair pair)
        : far(std::move(pair.far)), stream(driven.loop, std::move(pair.near), *this) {
        REQUIRE(driven.until([&] { return stream.writable(); }));
    }
    void on_ready() override {
        if (ready) ready();
    }

    net::Fd far;
    std::function<void()> ready;
    net::Stream stream;
};

/// A user of a lease that remembers what it was told.
class RecordingUser final : public UpstreamUser {
  public:
    void on_connected() override { is_connected = true; }
    void on_upstream_writable() override {
        if (writable) writable();
    }
    void on_interim(const http::ResponseHead&) override {}
    void on_response_head(http::ResponseHead& head, http::Body) override { status = head.status; }
    void on_response_body(std::string_view payload) override { body += payload; }
    void on_response_end(std::string_view) override { has_ended = true; }
    void on_read_turn_end() override {}
    void on_upgraded(const http::ResponseHead&, std::string_view) override {}
    void on_tunnel_ready() override {}
    void on_upstream_failed(const Error& error) override { failures.push_back(error); }

    std::function<void()> writable;
    bool is_connected = false;
    bool has_ended = false;
    uint16_t status = 0;
    std::string body;
    std::vector<Error> failures;
};

/// The app: listens, and the test accepts and answers.
class App {
  public:
    App() : listening(net::listen_on_loopback()) {}

    [[nodiscard]] Endpoint endpoint() const {
        return {.host = "127.0.0.1", .port = net::SocketAddress::local_of(listening).port(), .path = {}};
    }
    net::Fd accept() {
        net::Fd fd = net::accept_one(listening);
        REQUIRE(fd);
        return fd;
    }

    net::Fd listening;
};

}  // namespace weir::proxy
