#include "base/byte_queue.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <memory>

namespace weir {

/// Owns the block it lies in. Its bytes are those from `begin` to `end`, counted from the block's start.
struct ByteQueue::Link {
    explicit Link(Block own) : block(std::move(own)) {}

    [[nodiscard]] const char* bytes() const { return block.bytes() + begin; }
    [[nodiscard]] size_t size() const { return end - begin; }
    [[nodiscard]] size_t room() const { return block.capacity() - end; }

    Block block;
    Link* next = nullptr;
    size_t begin = sizeof(Link);
    size_t end = sizeof(Link);
};

void ByteQueue::add_block(size_t bytes_to_come) {
    const size_t wanted = last_ == nullptr ? std::min(bytes_to_come + sizeof(Link), kBlock) : kBlock;
    Block block = pool_->take(wanted);
    auto* place = reinterpret_cast<Link*>(block.bytes());
    Link* link = std::construct_at(place, std::move(block));
    (last_ == nullptr ? first_ : last_->next) = link;
    last_ = link;
}

void ByteQueue::drop_first_block() {
    Link* link = first_;
    first_ = link->next;
    if (first_ == nullptr) last_ = nullptr;
    const Block outlives_link = std::move(link->block);
    std::destroy_at(link);
}

void ByteQueue::append(std::string_view bytes) {
    while (!bytes.empty()) {
        if (last_ == nullptr || last_->room() == 0) add_block(bytes.size());
        const size_t count = std::min(bytes.size(), last_->room());
        std::memcpy(last_->block.bytes() + last_->end, bytes.data(), count);
        last_->end += count;
        size_ += count;
        bytes.remove_prefix(count);
    }
}

void ByteQueue::consume(size_t count) {
    assert(count <= size_);
    size_ -= count;
    while (count > 0) {
        const size_t taken = std::min(count, first_->size());
        first_->begin += taken;
        count -= taken;
        if (first_->size() == 0) drop_first_block();
    }
}

void ByteQueue::clear() {
    while (first_ != nullptr) drop_first_block();
    size_ = 0;
}

size_t ByteQueue::gather(std::span<iovec> out, size_t offset) const {
    size_t filled = 0;
    for (Link* link = first_; link != nullptr && filled < out.size(); link = link->next) {
        const size_t skipped = std::min(offset, link->size());
        offset -= skipped;
        if (skipped == link->size()) continue;
        out[filled++] = {.iov_base = link->block.bytes() + link->begin + skipped,
                         .iov_len = link->size() - skipped};
    }
    return filled;
}

std::string_view ByteQueue::front() const {
    return first_ == nullptr ? std::string_view() : std::string_view(first_->bytes(), first_->size());
}

}  // namespace weir
