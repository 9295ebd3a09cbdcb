#include "net/tls_ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace weir::net {

namespace {

template <size_t kBytes>
void fill(std::array<unsigned char, kBytes>& room) {
    if (RAND_priv_bytes(room.data(), kBytes) != 1) throw std::runtime_error("no random numbers to be had");
}

}  // namespace

TlsTicketKeys::Key::Key() {
    fill(name);
    fill(cipher);
    fill(mac);
}

TlsTicketKeys::Key::~Key() {
    OPENSSL_cleanse(cipher.data(), cipher.size());
    OPENSSL_cleanse(mac.data(), mac.size());
}

TlsTicketKeys::TlsTicketKeys() : keys_(1) {}

void TlsTicketKeys::rotate() {
    std::lock_guard lock(mutex_);
    if (keys_.size() == kKept) keys_.pop_back();
    keys_.insert(keys_.begin(), Key());
}

TlsTicketKeys::Key TlsTicketKeys::newest() const {
    std::lock_guard lock(mutex_);
    return keys_.front();
}

std::optional<TlsTicketKeys::Found> TlsTicketKeys::find(
    std::span<const unsigned char, kNameBytes> name) const {
    std::lock_guard lock(mutex_);
    for (const Key& key : keys_)
        if (std::equal(name.begin(), name.end(), key.name.begin()))
            return Found{.key = key, .is_newest = &key == &keys_.front()};
    return std::nullopt;
}

}  // namespace weir::net
