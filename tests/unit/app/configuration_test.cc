#include "app/configuration.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "net/sockets.h"
#include "proxy/worker_parts.h"

namespace weir::app {

namespace {

using proxy::Plan;
using proxy::wide_settings;

std::shared_ptr<Plan> made(const config::Settings& settings, const Plan* before = nullptr) {
    auto plan = make_plan(settings, before);
    REQUIRE(plan.has_value());
    return std::move(*plan);
}

std::string refusal_of(const config::Settings& settings) {
    auto plan = make_plan(settings);
    REQUIRE_FALSE(plan.has_value());
    return plan.error();
}

config::Settings logging_to(const std::string& path) {
    config::Settings settings = wide_settings();
    settings.log.access = path;
    return settings;
}

/// What `look` finds in a process that may have no more descriptors than this.
template <class Look>
int with_descriptors(rlim_t most, Look look) {
    const pid_t child = fork();
    if (child == 0) {
        log::set_level(log::Level::error);
        const rlimit limit{.rlim_cur = most, .rlim_max = most};
        _exit(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? look() : 255);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a plan has the access log that its settings name, or none") {
    net::TemporaryFolder folder;
    CHECK(made(logging_to("off"))->around.log_writer == nullptr);
    CHECK(made(logging_to(folder.file("log")))->around.log_writer != nullptr);
    CHECK(refusal_of(logging_to(folder.file("missing/log"))).find("missing/log") != std::string::npos);
}

TEST_CASE(
    "the access log stays open where the next plan names the same one, and is another where it does not") {
    net::TemporaryFolder folder;
    const auto first = made(logging_to(folder.file("log")));
    CHECK(made(logging_to(folder.file("log")), first.get())->around.log_writer == first->around.log_writer);
    CHECK(made(logging_to(folder.file("log2")), first.get())->around.log_writer != first->around.log_writer);
    CHECK(made(logging_to("off"), first.get())->around.log_writer == nullptr);
}

TEST_CASE("the certificates to trust are read only where a server has https") {
    config::Settings settings = wide_settings();
    settings.upstream.tls.ca = "/nowhere.pem";
    CHECK(made(settings)->around.tls == nullptr);
    settings.upstream.servers.front().is_tls = true;
    const std::string refusal = refusal_of(settings);
    CHECK_MESSAGE(refusal.starts_with("upstream.tls.ca: "), refusal);
    CHECK_MESSAGE(refusal.find("/nowhere.pem") != std::string::npos, refusal);
}

TEST_CASE("auto is a worker for each core") {
    config::Settings settings = wide_settings();
    settings.workers = 0;
    CHECK(made(settings)->around.workers == std::max(1U, std::thread::hardware_concurrency()));
    settings.workers = 3;
    CHECK(made(settings)->around.workers == 3);
}

TEST_CASE("another plan keeps the number of workers and what keys are hashed with") {
    config::Settings settings = wide_settings();
    settings.workers = 2;
    const auto first = made(settings);
    settings.workers = 5;
    const auto second = made(settings, first.get());
    CHECK(second->around.workers == 2);
    CHECK(second->settings.workers == 5);
    CHECK(second->around.seed.k0 == first->around.seed.k0);
    CHECK(second->around.seed.k1 == first->around.seed.k1);
    CHECK(made(settings)->around.seed.k0 != first->around.seed.k0);
}

TEST_CASE("no more clients are let in than there are descriptors for, two each") {
    const auto bounds_of = [](size_t wanted) {
        config::Clients clients = wide_settings().clients;
        clients.max_connections = wanted;
        return connection_bounds(clients).connections;
    };
    CHECK(bounds_of(7) == 7);
    // In tens: that is how much an exit code holds.
    const auto room = [&](rlim_t most) {
        return with_descriptors(most, [&] { return static_cast<int>(bounds_of(1'000'000) / 10); });
    };
    const int at_2000 = room(2000);
    CHECK(at_2000 > 50);
    CHECK(at_2000 < 100);
    CHECK(room(3000) == at_2000 + 50);
    // However few there are, somebody is served.
    CHECK(room(40) > 0);
}

TEST_CASE("trusted proxies are exempt from the bound for one address") {
    config::Clients clients = wide_settings().clients;
    clients.max_connections_per_ip = 9;
    clients.trusted_proxies = {{}};
    const auto bounds = connection_bounds(clients);
    CHECK(bounds.per_address == 9);
    CHECK(bounds.exempt.contains({}));
}

TEST_CASE("each level of the configuration is one of the log") {
    CHECK(log_level_of(config::LogLevel::debug) == log::Level::debug);
    CHECK(log_level_of(config::LogLevel::info) == log::Level::info);
    CHECK(log_level_of(config::LogLevel::warning) == log::Level::warning);
    CHECK(log_level_of(config::LogLevel::error) == log::Level::error);
}

TEST_CASE("what takes a restart is named, and nothing else is") {
    config::Settings was = wide_settings();
    was.listen = {{.address = {.host = {}, .port = 0, .path = "/run/a"}}};
    config::Settings is = was;
    is.limits.concurrency = 7;
    is.timeout.total = std::chrono::seconds(1);
    is.listen.push_back({.address = {.host = {}, .port = 0, .path = "/run/b"}, .mode = 0600});
    CHECK(what_needs_restart(was, is).empty());
    is.workers = was.workers + 1;
    is.admin.address = Endpoint{.host = "127.0.0.1", .port = 1, .path = {}};
    is.listen[0].mode = 0600;
    CHECK(what_needs_restart(was, is) ==
          std::vector<std::string>{"workers", "admin.address", "the mode of unix:/run/a"});
}

}  // namespace weir::app
