#include "base/object_pool.h"

#include <doctest/doctest.h>

namespace weir {

namespace {

struct Counted {
    explicit Counted(int& alive) : count(alive) { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    int& count;
};

}  // namespace

TEST_CASE("an object lives as long as its handle, and its memory serves the next one") {
    int alive = 0;
    ObjectPool<Counted> pool;
    auto first = pool.make(alive);
    const Counted* where = first.get();
    CHECK(alive == 1);
    first.reset();
    CHECK(alive == 0);
    auto second = pool.make(alive);
    CHECK(second.get() == where);
}

TEST_CASE("objects that live at the same time have memory of their own") {
    int alive = 0;
    ObjectPool<Counted> pool;
    auto first = pool.make(alive);
    auto second = pool.make(alive);
    CHECK(first.get() != second.get());
    CHECK(alive == 2);
}

}  // namespace weir
