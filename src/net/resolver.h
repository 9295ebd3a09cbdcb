// Turns names into addresses on a thread of its own: the system's resolver blocks, a worker must not.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/socket.h"

namespace weir::net {

/// What a name stands for now; empty with the cause in `error` where it could not be found.
struct Resolution {
    std::vector<SocketAddress> addresses;
    std::string error;
};

/// Blocks for as long as the system's resolver does.
Resolution resolve(const Endpoint&);

/// Looks every endpoint up once it has begun, again every kPeriod, and early when asked. Endpoints that need
/// no look-up (literal addresses, UNIX sockets) are reported once and then left alone.
class Resolver {
    struct State;
    struct Private {
        explicit Private() = default;
    };

  public:
    static constexpr Duration kPeriod = std::chrono::seconds(10);
    static constexpr Duration kMinGap =
        std::chrono::seconds(1);  ///< between two look-ups, however often one is asked for

    /// Called on the resolver's thread with the endpoint's index; must not call the resolver.
    using OnResolved = std::function<void(size_t index, const Resolution&)>;
    /// With its thread, which asks nobody before begin(). An error: there can be no more threads.
    static Result<std::unique_ptr<Resolver>> make(std::vector<Endpoint> endpoints, OnResolved on_resolved);
    Resolver(Private, std::shared_ptr<State> state) : state_(std::move(state)) {}  ///< for make() alone
    /// Returns at once: a look-up that is under way ends by itself, and nobody hears of it.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    void begin();
    void ask_again();  ///< any thread: a connect failed, the address may have moved

  private:
    static void run(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;  ///< shared with the thread, which may outlive this
};

}  // namespace weir::net
