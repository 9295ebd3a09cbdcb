#include "net/mailbox.h"

namespace weir::net {

Mailbox::Mailbox(Loop& loop) : bell_(loop, &Mailbox::read, this) {}

void Mailbox::post(std::function<void()> letter) {
    {
        std::lock_guard lock(mutex_);
        letters_.push_back(std::move(letter));
    }
    bell_.ring();
}

void Mailbox::read(void* mailbox) {
    auto& self = *static_cast<Mailbox*>(mailbox);
    std::vector<std::function<void()>> letters;
    {
        std::lock_guard lock(self.mutex_);
        letters.swap(self.letters_);
    }
    for (auto& letter : letters) letter();
}

}  // namespace weir::net
