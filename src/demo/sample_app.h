// The app behind `weir demo`: deliberately as naive as those weir protects. It blocks, spends a thread on
// each connection, and makes the next client wait when all its threads are taken.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "demo/connection.h"

namespace weir::demo {

/// Listens on the loopback address, on a port the kernel chooses. Routes: see routes.h. Threads: any.
class SampleApp {
    struct Private {
        explicit Private() = default;
    };

  public:
    static constexpr size_t kMaxThreads = 64;  ///< connections served at once; others wait to be accepted

    static Result<std::unique_ptr<SampleApp>> start();
    SampleApp(Private, Socket listener, uint16_t port);  ///< for start() alone
    SampleApp(const SampleApp&) = delete;
    SampleApp& operator=(const SampleApp&) = delete;
    /// Breaks off what is under way and returns when all threads have ended.
    ~SampleApp();

    [[nodiscard]] uint16_t port() const { return port_; }

  private:
    struct Worker {
        Socket socket;
        std::thread thread;
        bool is_done = false;
    };

    void accept_all();
    [[nodiscard]] bool wait_for_free_thread();
    void begin(Socket client);
    void run(Worker& worker);

    const Socket listener_;
    const uint16_t port_;
    StopSignal stop_;
    std::mutex mutex_;
    std::condition_variable freed_;
    std::list<Worker> workers_;  ///< joined and removed by the accepting thread
    bool is_ending_ = false;
    std::thread acceptor_;
};

}  // namespace weir::demo
