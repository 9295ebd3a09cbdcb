#include "net/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace weir::net {

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : signals) sigaddset(&set, signal);
    return set;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
    sigset_t set = set_of(signals);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals(Loop& loop, std::initializer_list<int> signals, std::function<void(int signal)> on_signal)
    : on_signal_(std::move(on_signal)) {
    sigset_t set = set_of(signals);
    fd_ = Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    event_assign(&event_, loop.base(), fd_.get(), EV_READ | EV_PERSIST, &Signals::on_event, this);
    event_add(&event_, nullptr);
}

Signals::~Signals() { event_del(&event_); }

void Signals::on_event(evutil_socket_t, short, void* signals) noexcept {
    auto& self = *static_cast<Signals*>(signals);
    signalfd_siginfo received{};
    while (read(self.fd_.get(), &received, sizeof received) == sizeof received)
        self.on_signal_(static_cast<int>(received.ssi_signo));
}

}  // namespace weir::net
