#include "net/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/log.h"

namespace weir::net {

Listener::Listener(Loop& loop, const Fd& socket, OnAccept on_accept)
    : loop_(loop),
      socket_(socket),
      on_accept_(std::move(on_accept)),
      pause_timer_(loop.timers(), &Listener::on_pause_over, this) {
    event_assign(&event_, loop.base(), socket.get(), EV_READ | EV_PERSIST, &Listener::on_event, this);
    event_add(&event_, nullptr);
}

Listener::~Listener() { event_del(&event_); }

void Listener::on_event(evutil_socket_t, short, void* listener) noexcept {
    static_cast<Listener*>(listener)->accept_batch();
}

void Listener::accept_waiting() {
    while (accept_batch()) {
    }
}

/// True where there may be more.
bool Listener::accept_batch() {
    for (int taken = 0; taken < kBatch; ++taken) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        auto* address = reinterpret_cast<sockaddr*>(&peer);
        Fd fd(accept4(socket_.get(), address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            on_accept_(std::move(fd), IpAddress::of(address));
        } else if (is_shortage(errno)) {
            pause();
            return false;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return false;
        }
    }
    return true;
}

void Listener::pause() {
    if (pause_notice_.is_due(loop_.now()))
        log::warning("out of file descriptors or memory: no connection is accepted for {} ms at a time",
                     std::chrono::duration_cast<std::chrono::milliseconds>(kPause).count());
    event_del(&event_);
    pause_timer_.arm(loop_.now() + kPause);
}

void Listener::on_pause_over(void* listener, Time) {
    event_add(&static_cast<Listener*>(listener)->event_, nullptr);
}

}  // namespace weir::net
