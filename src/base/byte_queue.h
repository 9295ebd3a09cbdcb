// Bytes that have arrived and cannot leave yet: a first-in-first-out chain of pool blocks.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "base/block_pool.h"

namespace weir {

/// Copies what it is given; holds no block while it is empty. Thread: its pool's.
/// sizeof is kept at four words: every connection has one. Each block of the chain carries its own link and
/// bounds.
class ByteQueue {
  public:
    static constexpr size_t kBlock = 16384;  ///< the first block is smaller when little is appended

    explicit ByteQueue(BlockPool& pool) : pool_(&pool) {}
    ~ByteQueue() { clear(); }
    ByteQueue(ByteQueue&& other) noexcept
        : pool_(other.pool_),
          first_(std::exchange(other.first_, nullptr)),
          last_(std::exchange(other.last_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    ByteQueue& operator=(ByteQueue&& other) noexcept {
        ByteQueue moved(std::move(other));
        swap(moved);
        return *this;
    }

    void swap(ByteQueue& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(size_, other.size_);
    }

    void append(std::string_view bytes);
    /// Removes the first `count` bytes; `count` is at most size().
    void consume(size_t count);
    void clear();

    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    /// Fills `out` with the bytes from `offset` on, in order; returns how many entries were filled.
    /// They stay valid until the queue is next changed.
    size_t gather(std::span<iovec> out, size_t offset = 0) const;
    /// The first bytes, as far as they lie in one block; empty when the queue is.
    [[nodiscard]] std::string_view front() const;

  private:
    struct Link;  ///< stands at the start of each block
    void add_block(size_t bytes_to_come);
    void drop_first_block();

    BlockPool* pool_;
    Link* first_ = nullptr;
    Link* last_ = nullptr;
    size_t size_ = 0;
};

}  // namespace weir
