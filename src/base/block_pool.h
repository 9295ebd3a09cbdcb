// Memory for bytes in flight: power-of-two blocks that are taken when bytes arrive and given back when they
// have left, so that an idle connection holds none. Every block held counts against one budget
// (`limits.memory`).
#pragma once

#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace weir {

/// How many bytes of blocks all workers together hold, and may hold. Threads: any.
/// Taking never fails: a byte that has arrived must be put somewhere. Whoever could cause more bytes to
/// arrive asks `exhausted()` first: that is the back-pressure.
class MemoryBudget {
  public:
    explicit MemoryBudget(size_t limit_bytes) : limit_(limit_bytes) {}

    void charge(size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
    void refund(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    [[nodiscard]] size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
    [[nodiscard]] size_t limit_bytes() const { return limit_.load(std::memory_order_relaxed); }
    void set_limit(size_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }
    [[nodiscard]] bool exhausted() const { return used_bytes() >= limit_bytes(); }

  private:
    std::atomic<size_t> used_{0};
    std::atomic<size_t> limit_;
};

class BlockPool;

/// Owns one block, exactly like a unique_ptr owns its object; empty by default. Must die before its pool.
class Block {
  public:
    Block() = default;
    Block(Block&& other) noexcept { swap(other); }
    Block& operator=(Block&& other) noexcept {
        Block moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~Block();

    [[nodiscard]] char* bytes() const { return bytes_; }
    [[nodiscard]] size_t capacity() const { return capacity_; }
    explicit operator bool() const { return bytes_ != nullptr; }
    void reset() { *this = Block(); }
    void swap(Block& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(bytes_, other.bytes_);
        std::swap(capacity_, other.capacity_);
    }

  private:
    friend class BlockPool;
    Block(BlockPool* pool, char* bytes, uint32_t capacity)
        : pool_(pool), bytes_(bytes), capacity_(capacity) {}

    BlockPool* pool_ = nullptr;
    char* bytes_ = nullptr;
    uint32_t capacity_ = 0;
};

/// One a worker; thread: that worker's. Keeps a bounded number of free blocks of each size for the next taker
/// (last in, first out: the warm one) and returns the others to the system. Under AddressSanitizer a free
/// block is poisoned, so that touching it after it was given back is reported.
class BlockPool {
  public:
    static constexpr size_t kSmallest = 2048;
    static constexpr size_t kLargest = size_t{1} << 20;
    /// Free blocks kept, in bytes, of each size.
    static constexpr size_t kKeptBytesPerSize = size_t{1} << 20;

    explicit BlockPool(MemoryBudget& budget) : budget_(budget) {}
    ~BlockPool();  ///< asserts that every block came back
    BlockPool(const BlockPool&) = delete;
    BlockPool& operator=(const BlockPool&) = delete;

    /// A block of at least `bytes` (at most kLargest), its content undefined, aligned for any type. Charged
    /// until it is given back.
    [[nodiscard]] Block take(size_t bytes);
    [[nodiscard]] size_t held_bytes() const { return held_; }  ///< in blocks taken and not given back
    [[nodiscard]] size_t kept_bytes() const;                   ///< in free blocks kept for the next taker
    [[nodiscard]] const MemoryBudget& budget() const { return budget_; }

  private:
    friend class Block;
    struct Free {
        Free* next;
    };
    /// Free blocks of one size, each beginning with the link to the next.
    struct Shelf {
        Free* first = nullptr;
        size_t count = 0;

        char* pop(size_t capacity);
        void push(char* bytes, size_t capacity);
    };
    static constexpr size_t kSizes = 10;
    static_assert(kSmallest << (kSizes - 1) == kLargest);

    static constexpr size_t size_index(size_t bytes) {
        return static_cast<size_t>(std::bit_width((std::max<size_t>(bytes, 1) - 1) / kSmallest));
    }
    static char* allocate(size_t capacity);
    static void release(char* bytes);
    void give_back(char* bytes, uint32_t capacity);

    MemoryBudget& budget_;
    std::array<Shelf, kSizes> shelves_{};
    size_t held_ = 0;
};

inline char* BlockPool::Shelf::pop(size_t capacity) {
    ASAN_UNPOISON_MEMORY_REGION(first, capacity);
    Free* taken = first;
    first = taken->next;
    --count;
    return reinterpret_cast<char*>(taken);
}

inline void BlockPool::Shelf::push(char* bytes, size_t capacity) {
    first = std::construct_at(reinterpret_cast<Free*>(bytes), Free{first});
    ++count;
    ASAN_POISON_MEMORY_REGION(bytes, capacity);
}

inline Block BlockPool::take(size_t bytes) {
    assert(bytes <= kLargest);
    const size_t index = size_index(bytes);
    const size_t capacity = kSmallest << index;
    Shelf& shelf = shelves_[index];
    char* taken = shelf.first != nullptr ? shelf.pop(capacity) : allocate(capacity);
    held_ += capacity;
    budget_.charge(capacity);
    return {this, taken, static_cast<uint32_t>(capacity)};
}

inline void BlockPool::give_back(char* bytes, uint32_t capacity) {
    assert(held_ >= capacity);
    held_ -= capacity;
    budget_.refund(capacity);
    Shelf& shelf = shelves_[size_index(capacity)];
    if (shelf.count * capacity < kKeptBytesPerSize) {
        shelf.push(bytes, capacity);
    } else {
        release(bytes);
    }
}

inline Block::~Block() {
    if (bytes_ != nullptr) pool_->give_back(bytes_, capacity_);
}

}  // namespace weir
