#include "net/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace weir::net {

Mailbox::Mailbox(Loop& loop) : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    event_assign(&event_, loop.base(), wake_.get(), EV_READ | EV_PERSIST, &Mailbox::on_event, this);
    event_add(&event_, nullptr);
}

Mailbox::~Mailbox() { event_del(&event_); }

void Mailbox::post(std::function<void()> letter) {
    {
        std::lock_guard lock(mutex_);
        letters_.push_back(std::move(letter));
    }
    eventfd_write(wake_.get(), 1);
}

void Mailbox::on_event(evutil_socket_t, short, void* mailbox) noexcept {
    auto& self = *static_cast<Mailbox*>(mailbox);
    eventfd_t count;
    eventfd_read(self.wake_.get(), &count);
    std::vector<std::function<void()>> letters;
    {
        std::lock_guard lock(self.mutex_);
        letters.swap(self.letters_);
    }
    for (auto& letter : letters) letter();
}

}  // namespace weir::net
