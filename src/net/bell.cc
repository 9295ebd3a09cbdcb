#include "net/bell.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

#include "net/loop.h"

namespace weir::net {

Bell::Bell(Loop& loop, Run run, void* owner)
    : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), run_(run), owner_(owner) {
    if (!wake_) throw std::system_error(errno, std::generic_category(), "eventfd");
    event_assign(&event_, loop.base(), wake_.get(), EV_READ | EV_PERSIST, &Bell::on_event, this);
    event_add(&event_, nullptr);
}

Bell::~Bell() { event_del(&event_); }

void Bell::ring() noexcept { eventfd_write(wake_.get(), 1); }

void Bell::on_event(evutil_socket_t, short, void* bell) noexcept {
    auto& self = *static_cast<Bell*>(bell);
    eventfd_t count;
    eventfd_read(self.wake_.get(), &count);
    self.run_(self.owner_);
}

}  // namespace weir::net
