// A binary heap whose elements know where they stand, so that any of them can be moved or taken out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::policy {

/// Holds pointers to elements that others own; kIndex is the member in which an element keeps its position.
/// Before{}(a, b): a stands nearer to the top than b, a strict order. push, remove and update are O(log n).
template <class T, uint32_t T::*kIndex, class Before>
class IndexedHeap {
  public:
    [[nodiscard]] T* top() const { return elements_.empty() ? nullptr : elements_.front(); }
    [[nodiscard]] size_t size() const { return elements_.size(); }
    /// Up to so many, pushing allocates nothing.
    void reserve(size_t elements) { elements_.reserve(elements); }

    void push(T& element) {
        elements_.push_back(&element);
        rise(elements_.size() - 1, element);
    }
    void remove(T& element) {
        T& last = *elements_.back();
        elements_.pop_back();
        if (&last != &element) settle(element.*kIndex, last);
    }
    /// What Before looks at has changed in this element.
    void update(T& element) { settle(element.*kIndex, element); }

  private:
    void put(size_t at, T& element) {
        elements_[at] = &element;
        element.*kIndex = static_cast<uint32_t>(at);
    }
    void settle(size_t at, T& element) {
        if (at > 0 && Before{}(element, *elements_[(at - 1) / 2])) {
            rise(at, element);
        } else {
            sink(at, element);
        }
    }
    void rise(size_t at, T& element) {
        while (at > 0) {
            const size_t parent = (at - 1) / 2;
            if (!Before{}(element, *elements_[parent])) break;
            put(at, *elements_[parent]);
            at = parent;
        }
        put(at, element);
    }
    void sink(size_t at, T& element) {
        for (size_t child = 2 * at + 1; child < elements_.size(); child = 2 * at + 1) {
            if (child + 1 < elements_.size() && Before{}(*elements_[child + 1], *elements_[child])) ++child;
            if (!Before{}(*elements_[child], element)) break;
            put(at, *elements_[child]);
            at = child;
        }
        put(at, element);
    }

    std::vector<T*> elements_;
};

}  // namespace weir::policy
