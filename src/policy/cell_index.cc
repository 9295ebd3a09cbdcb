#include "policy/cell_index.h"

#include <algorithm>
#include <bit>

namespace weir::policy {
namespace {

// A small table has one shard, so that its least used entry is the least used of all.
constexpr size_t kKeysPerShard = 1024;
constexpr size_t kMostShards = 64;
constexpr size_t kKeysPerBucket = 2;

uint32_t shards_for(size_t capacity) {
    return static_cast<uint32_t>(
        std::bit_floor(std::clamp<size_t>(capacity / kKeysPerShard, 1, kMostShards)));
}

}  // namespace

CellIndex::CellIndex(size_t capacity)
    : capacity_(static_cast<uint32_t>(std::clamp<size_t>(capacity, 1, kMostCapacity))),
      shards_(shards_for(capacity_)),
      buckets_per_shard_(static_cast<uint32_t>(std::max<size_t>(1, capacity_ / kKeysPerBucket / shards_))),
      nodes_(std::make_unique_for_overwrite<Node[]>(capacity_)),
      buckets_(std::make_unique_for_overwrite<uint32_t[]>(size_t{shards_} * buckets_per_shard_)) {
    std::fill_n(buckets_.get(), size_t{shards_} * buckets_per_shard_, kNone);
}

size_t CellIndex::memory_bytes() const {
    return sizeof *this + capacity_ * sizeof(Node) + size_t{shards_} * buckets_per_shard_ * sizeof(uint32_t);
}

void CellIndex::link(uint32_t slot, uint64_t key) {
    uint32_t& bucket = bucket_of(key);
    nodes_[slot] = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32U), bucket};
    bucket = slot;
}

void CellIndex::unlink(uint32_t slot) {
    uint32_t* at = &bucket_of(key_of(slot));
    while (*at != slot) at = &nodes_[*at].next;
    *at = nodes_[slot].next;
}

uint32_t CellIndex::take_slot() {
    const std::lock_guard hold(pool_);
    const bool reuse = given_back_ != kNone;
    if (!reuse && untouched_ == capacity_) return kNone;
    taken_.fetch_add(1, std::memory_order_relaxed);
    return reuse ? std::exchange(given_back_, nodes_[given_back_].next) : untouched_++;
}

uint32_t CellIndex::insert(uint64_t key) {
    const uint32_t slot = take_slot();
    if (slot != kNone) link(slot, key);
    return slot;
}

void CellIndex::erase(uint32_t slot) {
    unlink(slot);
    const std::lock_guard hold(pool_);
    nodes_[slot].next = std::exchange(given_back_, slot);
    taken_.fetch_sub(1, std::memory_order_relaxed);
}

void CellIndex::rename(uint32_t slot, uint64_t key) {
    unlink(slot);
    link(slot, key);
}

}  // namespace weir::policy
