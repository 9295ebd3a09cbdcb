// What weir seals its session tickets with: a client that comes back brings its ticket, and the handshake
// costs no signature.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace weir::net {

/// One ring for the whole process, so that tickets hold at every address, in every worker, and beyond a
/// change of certificates. Any thread. Keys never leave memory, so that a restart ends all tickets; who has
/// one can read what was said with the tickets it sealed (TLS 1.2; in 1.3 nothing, RFC 8446, 2.2), which is
/// why they are changed.
class TlsTicketKeys {
  public:
    static constexpr size_t kKept = 3;
    static constexpr size_t kNameBytes = 16;

    /// As RFC 5077, 4 proposes: AES-CBC and an HMAC of SHA-256 over it.
    struct Key {
        Key();  ///< random
        Key(const Key&) = default;
        Key& operator=(const Key&) = default;
        ~Key();  ///< leaves nothing in memory

        std::array<unsigned char, kNameBytes> name;
        std::array<unsigned char, 32> cipher;
        std::array<unsigned char, 32> mac;
    };
    struct Found {
        Key key;
        bool is_newest;
    };

    TlsTicketKeys();

    /// A new key seals from now on. Those sealed before can be opened for as long as their key is one of the
    /// last kKept.
    void rotate();
    [[nodiscard]] Key newest() const;
    [[nodiscard]] std::optional<Found> find(std::span<const unsigned char, kNameBytes> name) const;

  private:
    mutable std::mutex mutex_;
    std::vector<Key> keys_;  ///< the newest is first
};

}  // namespace weir::net
