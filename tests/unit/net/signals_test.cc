#include "net/signals.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <csignal>
#include <vector>

#include "net/driven_loop.h"

namespace weir::net {

namespace {

/// Gives the thread back the signal mask that it had.
class KeptMask {
  public:
    KeptMask() { pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
    ~KeptMask() { pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }
    KeptMask(const KeptMask&) = delete;
    KeptMask& operator=(const KeptMask&) = delete;

  private:
    sigset_t mask_{};
};

}  // namespace

TEST_CASE("a blocked signal arrives as an event of the loop") {
    KeptMask kept;
    block_signals({SIGUSR1, SIGUSR2});
    DrivenLoop driven;
    std::vector<int> seen;
    Signals signals(driven.loop, {SIGUSR1, SIGUSR2}, [&](int signal) { seen.push_back(signal); });
    raise(SIGUSR1);
    CHECK(seen.empty());
    REQUIRE(driven.until([&] { return !seen.empty(); }));
    raise(SIGUSR2);
    REQUIRE(driven.until([&] { return seen.size() == 2; }));
    CHECK(seen == std::vector<int>{SIGUSR1, SIGUSR2});
}

TEST_CASE("a signal that came before anybody listened is not lost") {
    KeptMask kept;
    block_signals({SIGUSR1});
    raise(SIGUSR1);
    DrivenLoop driven;
    int seen = 0;
    Signals signals(driven.loop, {SIGUSR1}, [&](int signal) { seen += signal == SIGUSR1 ? 1 : 0; });
    CHECK(driven.until([&] { return seen == 1; }));
}

}  // namespace weir::net
