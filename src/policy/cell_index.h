// Which slot of a table belongs to which key: hash chains over an array of fixed size. Keys are 64-bit seeded
// hashes; no other trace of a client is kept. Twelve bytes a slot and two for its share of the buckets.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace weir::policy {

/// The buckets are divided among shards. What names a shard, or a key or slot of it, needs that shard's lock,
/// which the owner keeps; different shards may be used at once. Slots are not divided: any shard may take the
/// last one, so that `capacity` keys always fit, however their hashes fall.
class CellIndex {
  public:
    static constexpr uint32_t kNone = ~uint32_t{0};
    static constexpr size_t kMostCapacity = size_t{1} << 31U;

    /// Memory is touched as slots are first taken.
    explicit CellIndex(size_t capacity);

    [[nodiscard]] size_t capacity() const { return capacity_; }
    [[nodiscard]] size_t size() const { return taken_.load(std::memory_order_relaxed); }
    [[nodiscard]] uint32_t shards() const { return shards_; }
    [[nodiscard]] uint32_t shard_of(uint64_t key) const { return static_cast<uint32_t>(key) & (shards_ - 1); }
    [[nodiscard]] size_t memory_bytes() const;

    [[nodiscard]] uint32_t find(uint64_t key) const;
    /// A slot for a key that has none; kNone where all are taken.
    uint32_t insert(uint64_t key);
    void erase(uint32_t slot);
    /// Gives a slot to another key of the same shard.
    void rename(uint32_t slot, uint64_t key);

    /// A walk over one shard's slots: its buckets are numbered from 0, each is a chain that ends with kNone.
    [[nodiscard]] uint32_t buckets_per_shard() const { return buckets_per_shard_; }
    [[nodiscard]] uint32_t first(uint32_t shard, uint32_t bucket) const {
        return buckets_[size_t{shard} * buckets_per_shard_ + bucket];
    }
    [[nodiscard]] uint32_t next(uint32_t slot) const { return nodes_[slot].next; }

  private:
    struct Node {
        uint32_t key_low;
        uint32_t key_high;
        uint32_t next;  ///< in its chain, or among the slots that were given back
    };

    [[nodiscard]] uint32_t& bucket_of(uint64_t key) const;
    [[nodiscard]] uint64_t key_of(uint32_t slot) const {
        return uint64_t{nodes_[slot].key_high} << 32U | nodes_[slot].key_low;
    }
    void link(uint32_t slot, uint64_t key);
    void unlink(uint32_t slot);
    uint32_t take_slot();

    uint32_t capacity_;
    uint32_t shards_;  ///< a power of two
    uint32_t buckets_per_shard_;
    std::unique_ptr<Node[]> nodes_;
    std::unique_ptr<uint32_t[]> buckets_;

    std::mutex pool_;  ///< taken after a shard's lock; guards what follows
    uint32_t given_back_ = kNone;
    uint32_t untouched_ = 0;  ///< slots from here on were never taken
    std::atomic<uint32_t> taken_ = 0;
};

inline uint32_t& CellIndex::bucket_of(uint64_t key) const {
    const uint64_t bucket = (key >> 32U) * buckets_per_shard_ >> 32U;
    return buckets_[size_t{shard_of(key)} * buckets_per_shard_ + bucket];
}

inline uint32_t CellIndex::find(uint64_t key) const {
    uint32_t slot = bucket_of(key);
    while (slot != kNone && key_of(slot) != key) slot = nodes_[slot].next;
    return slot;
}

}  // namespace weir::policy
