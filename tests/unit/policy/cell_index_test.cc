#include "policy/cell_index.h"

#include <map>
#include <vector>

#include <doctest/doctest.h>

#include "random_source.h"

namespace weir::policy {

using http::RandomSource;

TEST_CASE("an index agrees with a map through any sequence of inserts, renames and erasures") {
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    for (const size_t capacity : {1U, 2U, 7U, 300U, 5000U}) {
        CellIndex index(capacity);
        std::map<uint64_t, uint32_t> expected;
        std::vector<uint64_t> keys(2 * capacity + 1);
        for (uint64_t& key : keys)
            key = uint64_t{random.below(size_t{1} << 40U)} << 20U | random.below(1U << 20U);
        for (int i = 0; i < 30'000; ++i) {
            const uint64_t key = keys[random.below(keys.size())];
            const auto found = expected.find(key);
            REQUIRE(index.find(key) == (found == expected.end() ? CellIndex::kNone : found->second));
            if (found != expected.end()) {
                if (!random.one_in(3)) continue;
                index.erase(found->second);
                expected.erase(found);
            } else if (expected.size() < capacity) {
                expected[key] = index.insert(key);
                REQUIRE(expected[key] < capacity);
            } else {
                REQUIRE(index.insert(key) == CellIndex::kNone);
                const auto victim = expected.begin();
                if (index.shard_of(victim->first) != index.shard_of(key)) continue;
                index.rename(victim->second, key);
                expected[key] = victim->second;
                expected.erase(victim);
            }
            REQUIRE(index.size() == expected.size());
        }
    }
}

TEST_CASE("a walk over the shards meets every key once, in its own shard") {
    constexpr size_t kKeys = 5000;
    RandomSource random;
    INFO("WEIR_TEST_SEED=" << random.seed());
    CellIndex index(kKeys);
    CHECK(index.shards() == 4);
    std::vector<uint32_t> shard_of_slot(kKeys);
    for (size_t i = 0; i < kKeys; ++i) {
        const uint64_t key = random.below(size_t{1} << 62U);
        const uint32_t slot = index.insert(key);
        REQUIRE(slot != CellIndex::kNone);
        shard_of_slot[slot] = index.shard_of(key);
    }
    std::vector<int> met(kKeys);
    for (uint32_t shard = 0; shard < index.shards(); ++shard) {
        for (uint32_t bucket = 0; bucket < index.buckets_per_shard(); ++bucket) {
            for (uint32_t slot = index.first(shard, bucket); slot != CellIndex::kNone;
                 slot = index.next(slot)) {
                CHECK(shard_of_slot[slot] == shard);
                ++met[slot];
            }
        }
    }
    CHECK(met == std::vector<int>(kKeys, 1));
}

}  // namespace weir::policy
