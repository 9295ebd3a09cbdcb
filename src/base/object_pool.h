// Keeps the memory of short-lived objects of one type for the next ones, so that a request allocates nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace weir {

/// Thread: its owner's. Must outlive every object it made. Keeps at most kKept pieces of memory.
template <class T>
class ObjectPool {
  public:
    static constexpr size_t kKept = 1024;

    struct Return {
        ObjectPool* pool;
        void operator()(T* object) const { pool->take_back(object); }
    };
    using Owned = std::unique_ptr<T, Return>;

    ObjectPool() = default;
    ObjectPool(const ObjectPool&) = delete;
    ObjectPool& operator=(const ObjectPool&) = delete;

    template <class... Args>
    [[nodiscard]] Owned make(Args&&... args) {
        Memory memory = kept_.empty() ? std::make_unique_for_overwrite<Piece>() : std::move(kept_.back());
        if (!kept_.empty()) kept_.pop_back();
        T* object = std::construct_at(reinterpret_cast<T*>(memory.get()), std::forward<Args>(args)...);
        static_cast<void>(memory.release());  // take_back adopts it again
        return Owned(object, Return{this});
    }

  private:
    struct alignas(T) Piece {
        std::byte bytes[sizeof(T)];
    };
    using Memory = std::unique_ptr<Piece>;

    void take_back(T* object) {
        std::destroy_at(object);
        Memory memory(reinterpret_cast<Piece*>(object));
        if (kept_.size() < kKept) kept_.push_back(std::move(memory));
    }

    std::vector<Memory> kept_;
};

}  // namespace weir
