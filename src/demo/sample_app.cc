#include "demo/sample_app.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "demo/routes.h"

namespace weir::demo {
namespace {

constexpr int kBacklog = 128;
constexpr std::chrono::milliseconds kPauseAfterError{50};

Failure<std::string> failure(const char* what) {
    return fail("cannot start the sample app: " + std::string(what) + ": " +
                std::generic_category().message(errno));
}

}  // namespace

Result<std::unique_ptr<SampleApp>> SampleApp::start() {
    Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!listener.is_open()) return failure("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.fd(), generic, size) != 0) return failure("bind");
    if (::listen(listener.fd(), kBacklog) != 0) return failure("listen");
    if (::getsockname(listener.fd(), generic, &size) != 0) return failure("getsockname");
    return std::make_unique<SampleApp>(Private{}, std::move(listener), ntohs(address.sin_port));
}

SampleApp::SampleApp(Private, Socket listener, uint16_t port)
    : listener_(std::move(listener)), port_(port), acceptor_([this] { accept_all(); }) {}

SampleApp::~SampleApp() {
    stop_.raise();
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
        for (const auto& worker : workers_) worker.socket.shut_down();
    }
    freed_.notify_all();
    listener_.shut_down();
    acceptor_.join();
    for (auto& worker : workers_) worker.thread.join();
}

void SampleApp::accept_all() {
    while (wait_for_free_thread()) {
        Socket client(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
        if (client.is_open()) {
            begin(std::move(client));
        } else if (errno != EINTR && errno != ECONNABORTED && !stop_.sleep(kPauseAfterError)) {
            return;
        }
    }
}

/// Joins threads that are done; false when the app is ending.
bool SampleApp::wait_for_free_thread() {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [this] {
        std::erase_if(workers_, [](Worker& worker) {
            if (worker.is_done) worker.thread.join();
            return worker.is_done;
        });
        return is_ending_ || workers_.size() < kMaxThreads;
    });
    return !is_ending_;
}

void SampleApp::begin(Socket client) {
    const int on = 1;
    ::setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    if (is_ending_) return;
    auto& worker = workers_.emplace_back();
    worker.socket = std::move(client);
    try {
        worker.thread = std::thread([this, &worker] { run(worker); });
    } catch (const std::system_error&) {
        workers_.pop_back();  // no thread to be had: the client is hung up on
    }
}

void SampleApp::run(Worker& worker) {
    try {
        Connection connection(worker.socket, stop_);
        serve(connection);
    } catch (const std::exception&) {
        // Out of memory on one connection ends that one.
    }
    const std::lock_guard lock(mutex_);
    worker.socket.close();
    worker.is_done = true;
    freed_.notify_all();
}

}  // namespace weir::demo
