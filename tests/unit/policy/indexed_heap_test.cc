#include "policy/indexed_heap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "policy/prefix_counts.h"

namespace weir::policy {
namespace {

struct Element {
    uint32_t rank = 0;
    uint32_t index = 0;
    bool inside = false;
};
struct RanksBelow {
    bool operator()(const Element& a, const Element& b) const { return a.rank < b.rank; }
};

TEST_CASE("after any history, the top of a heap is the least of what is in it") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    IndexedHeap<Element, &Element::index, RanksBelow> heap;
    CHECK(heap.top() == nullptr);
    std::vector<Element> elements(50);
    for (int step = 0; step < 20'000; ++step) {
        Element& element = elements[random() % elements.size()];
        if (!element.inside) {
            element = {.rank = static_cast<uint32_t>(random() % 30), .inside = true};
            heap.push(element);
        } else if (random() % 3 == 0) {
            element.inside = false;
            heap.remove(element);
        } else {
            element.rank = static_cast<uint32_t>(random() % 30);
            heap.update(element);
        }
        const Element* least = nullptr;
        size_t size = 0;
        for (const Element& candidate : elements) {
            if (!candidate.inside) continue;
            ++size;
            if (least == nullptr || candidate.rank < least->rank) least = &candidate;
        }
        REQUIRE(heap.size() == size);
        REQUIRE((heap.top() == nullptr) == (least == nullptr));
        if (least != nullptr) REQUIRE(heap.top()->rank == least->rank);
    }
}

TEST_CASE("prefix counts are the sums of the counters, however far the row has grown") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    PrefixCounts counts;
    std::vector<uint32_t> plain(3000);
    CHECK(counts.up_to(3000) == 0);
    for (int step = 0; step < 20'000; ++step) {
        const auto reach = 1 + static_cast<uint32_t>(step) / 7;  // grows while it is in use
        const uint32_t at = 1 + static_cast<uint32_t>(random() % reach);
        if (plain[at] > 0 && random() % 2 == 0) {
            --plain[at];
            counts.decrement(at);
        } else {
            ++plain[at];
            counts.increment(at);
        }
        if (step % 100 != 0) continue;
        uint32_t sum = 0;
        for (uint32_t i = 1; i < plain.size(); ++i) {
            sum += plain[i];
            REQUIRE(counts.up_to(i) == sum);
        }
    }
    CHECK(counts.up_to(0) == 0);
    CHECK(counts.up_to(UINT32_MAX) == counts.up_to(2999));
}

}  // namespace
}  // namespace weir::policy
