#include "base/block_pool.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <vector>

namespace weir {
namespace {

constexpr size_t kUnlimited = size_t{1} << 40;

TEST_CASE("a block is the smallest power of two, from 2 KiB to 1 MiB, that fits") {
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    CHECK(pool.take(0).capacity() == 2048);
    CHECK(pool.take(1).capacity() == 2048);
    for (size_t capacity = BlockPool::kSmallest; capacity <= BlockPool::kLargest; capacity *= 2) {
        CAPTURE(capacity);
        CHECK(pool.take(capacity).capacity() == capacity);
        if (capacity < BlockPool::kLargest) CHECK(pool.take(capacity + 1).capacity() == 2 * capacity);
    }
}

TEST_CASE("the whole capacity of a block can be written") {
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    for (int round = 0; round < 2; ++round) {  // the second gets the blocks the first gave back
        for (size_t capacity = BlockPool::kSmallest; capacity <= BlockPool::kLargest; capacity *= 2) {
            const Block block = pool.take(capacity);
            std::memset(block.bytes(), 'x', block.capacity());
            CHECK(block.bytes()[capacity - 1] == 'x');
        }
    }
}

TEST_CASE("a held block is charged with its capacity until it is given back") {
    MemoryBudget budget(10'000);
    BlockPool pool(budget);
    Block small = pool.take(100);
    CHECK(pool.held_bytes() == 2048);
    CHECK(budget.used_bytes() == 2048);
    CHECK_FALSE(budget.exhausted());
    {
        const Block large = pool.take(5000);
        CHECK(pool.held_bytes() == 2048 + 8192);
        CHECK(budget.used_bytes() == 2048 + 8192);
        CHECK(budget.exhausted());
    }
    CHECK(budget.used_bytes() == 2048);
    CHECK_FALSE(budget.exhausted());
    small.reset();
    CHECK(pool.held_bytes() == 0);
    CHECK(budget.used_bytes() == 0);
}

TEST_CASE("pools share a budget, and its limit can be moved") {
    MemoryBudget budget(8192);
    BlockPool one(budget);
    BlockPool other(budget);
    const Block first = one.take(4096);
    CHECK_FALSE(budget.exhausted());
    const Block second = other.take(4096);
    CHECK(budget.exhausted());
    CHECK(one.held_bytes() == 4096);
    budget.set_limit(8193);
    CHECK_FALSE(budget.exhausted());
    CHECK(&one.budget() == &other.budget());
}

TEST_CASE("taking does not fail when the budget is exhausted") {
    MemoryBudget budget(0);
    BlockPool pool(budget);
    CHECK(budget.exhausted());
    CHECK(pool.take(1));
}

TEST_CASE("the block given back last is taken first") {
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    Block first = pool.take(2048);
    Block second = pool.take(2048);
    const char* const first_bytes = first.bytes();
    const char* const second_bytes = second.bytes();
    first.reset();
    second.reset();
    first = pool.take(2048);
    second = pool.take(2048);
    CHECK(first.bytes() == second_bytes);
    CHECK(second.bytes() == first_bytes);
}

TEST_CASE("free blocks are kept up to a bound for each size, and leave when taken") {
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    size_t sizes = 0;
    for (size_t capacity = BlockPool::kSmallest; capacity <= BlockPool::kLargest; capacity *= 2) {
        CAPTURE(capacity);
        const size_t kept_before = sizes++ * BlockPool::kKeptBytesPerSize;
        CHECK(pool.kept_bytes() == kept_before);
        std::vector<Block> blocks;
        for (size_t bytes = 0; bytes < 2 * BlockPool::kKeptBytesPerSize; bytes += capacity) {
            blocks.push_back(pool.take(capacity));
        }
        CHECK(pool.kept_bytes() == kept_before);
        blocks.clear();
        CHECK(pool.kept_bytes() == kept_before + BlockPool::kKeptBytesPerSize);
        blocks.push_back(pool.take(capacity));
        CHECK(pool.kept_bytes() == kept_before + BlockPool::kKeptBytesPerSize - capacity);
    }
    CHECK(budget.used_bytes() == 0);
}

TEST_CASE("a block belongs to one owner at a time") {
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    Block block = pool.take(2048);
    const char* const bytes = block.bytes();

    Block moved = std::move(block);
    CHECK_FALSE(block);  // NOLINT(bugprone-use-after-move): being empty is the promise
    CHECK(moved.bytes() == bytes);

    Block replaced = pool.take(4096);
    replaced = std::move(moved);
    CHECK(replaced.bytes() == bytes);
    CHECK(pool.held_bytes() == 2048);

    Block& alias = replaced;
    replaced = std::move(alias);
    CHECK(replaced.bytes() == bytes);

    replaced.reset();
    replaced.reset();
    CHECK(pool.held_bytes() == 0);
}

TEST_CASE("what is held and charged is the sum of the live blocks after any history") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    std::vector<Block> live;
    size_t expected = 0;
    for (int step = 0; step < 5000; ++step) {
        if (live.empty() || random() % 2 == 0) {
            live.push_back(pool.take(random() % (size_t{1} << (random() % 19))));
            expected += live.back().capacity();
            std::memset(live.back().bytes(), 'x', live.back().capacity());
        } else {
            std::swap(live[random() % live.size()], live.back());
            expected -= live.back().capacity();
            live.pop_back();
        }
        REQUIRE(pool.held_bytes() == expected);
        REQUIRE(budget.used_bytes() == expected);
    }
}

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_HAS_ASAN 1
#endif
#endif

#ifdef WEIR_HAS_ASAN
TEST_CASE("AddressSanitizer reports every byte of a block that was given back and kept") {
    MemoryBudget budget(kUnlimited);
    BlockPool pool(budget);
    Block block = pool.take(4096);
    char* const bytes = block.bytes();
    CHECK(__asan_region_is_poisoned(bytes, 4096) == nullptr);
    block.reset();
    for (size_t i = 0; i < 4096; ++i) REQUIRE(__asan_address_is_poisoned(bytes + i) == 1);
    block = pool.take(4096);
    REQUIRE(block.bytes() == bytes);
    CHECK(__asan_region_is_poisoned(bytes, 4096) == nullptr);
}
#endif

}  // namespace
}  // namespace weir
