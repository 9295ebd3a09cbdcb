#include "base/block_pool.h"

#include <new>

namespace weir {

BlockPool::~BlockPool() {
    assert(held_ == 0);
    for (size_t index = 0; index < kSizes; ++index) {
        Shelf& shelf = shelves_[index];
        const size_t capacity = kSmallest << index;
        while (shelf.first != nullptr) release(shelf.pop(capacity));
    }
}

size_t BlockPool::kept_bytes() const {
    size_t kept = 0;
    for (size_t index = 0; index < kSizes; ++index) kept += shelves_[index].count * (kSmallest << index);
    return kept;
}

char* BlockPool::allocate(size_t capacity) { return static_cast<char*>(::operator new(capacity)); }

void BlockPool::release(char* bytes) { ::operator delete(bytes); }

}  // namespace weir
