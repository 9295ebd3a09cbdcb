#include "base/byte_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

namespace weir {
namespace {

/// A queue and all it needs.
struct Fixture {
    MemoryBudget budget{size_t{1} << 40};
    BlockPool pool{budget};
    ByteQueue queue{pool};
};

std::string gathered(const ByteQueue& queue, size_t offset = 0) {
    std::vector<iovec> parts(queue.size() / 1000 + 8);
    parts.resize(queue.gather(parts, offset));
    std::string bytes;
    for (const iovec& part : parts) {
        CHECK(part.iov_len > 0);
        bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
    }
    return bytes;
}

std::string random_bytes(std::mt19937& random, size_t count) {
    std::string bytes(count, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
    return bytes;
}

TEST_CASE("an empty queue holds no block") {
    Fixture f;
    CHECK(f.queue.empty());
    CHECK(f.queue.front().empty());
    CHECK(gathered(f.queue).empty());
    f.queue.append("");
    CHECK(f.pool.held_bytes() == 0);
    f.queue.append("abc");
    CHECK(f.pool.held_bytes() == 2048);
    f.queue.consume(3);
    CHECK(f.queue.empty());
    CHECK(f.pool.held_bytes() == 0);
}

TEST_CASE("bytes leave in the order in which they came") {
    Fixture f;
    f.queue.append("hello ");
    f.queue.append("world");
    CHECK(f.queue.size() == 11);
    CHECK(f.queue.front() == "hello world");
    f.queue.consume(6);
    CHECK(f.queue.front() == "world");
    CHECK(f.queue.size() == 5);
}

TEST_CASE("the first block fits what is appended, and later ones are whole") {
    Fixture f;
    f.queue.append(std::string(3000, 'a'));
    CHECK(f.pool.held_bytes() == 4096);
    f.queue.append(std::string(900, 'b'));
    CHECK(f.pool.held_bytes() == 4096);  // the free room came first
    f.queue.append(std::string(1000, 'c'));
    CHECK(f.pool.held_bytes() == 4096 + ByteQueue::kBlock);
    CHECK(gathered(f.queue) == std::string(3000, 'a') + std::string(900, 'b') + std::string(1000, 'c'));
}

TEST_CASE("the first block has room for its own link too") {
    for (size_t capacity = BlockPool::kSmallest; capacity < ByteQueue::kBlock; capacity *= 2) {
        Fixture f;
        f.queue.append(std::string(capacity, 'x'));
        CHECK(f.pool.held_bytes() == 2 * capacity);
        CHECK(f.queue.front().size() == capacity);
    }
}

TEST_CASE("a long append is spread over whole blocks") {
    Fixture f;
    const std::string bytes(3 * ByteQueue::kBlock, 'x');
    f.queue.append(bytes);
    CHECK(f.pool.held_bytes() == 4 * ByteQueue::kBlock);
    CHECK(gathered(f.queue) == bytes);
}

TEST_CASE("a block is given back as soon as its last byte is consumed") {
    Fixture f;
    f.queue.append(std::string(2 * ByteQueue::kBlock, 'x'));
    CHECK(f.pool.held_bytes() == 3 * ByteQueue::kBlock);
    const size_t in_first = f.queue.front().size();
    f.queue.consume(in_first - 1);
    CHECK(f.pool.held_bytes() == 3 * ByteQueue::kBlock);
    f.queue.consume(1);
    CHECK(f.pool.held_bytes() == 2 * ByteQueue::kBlock);
    f.queue.clear();
    CHECK(f.queue.empty());
    CHECK(f.pool.held_bytes() == 0);
}

TEST_CASE("gather fills no more entries than it is given") {
    Fixture f;
    f.queue.append(std::string(3 * ByteQueue::kBlock, 'x'));
    std::array<iovec, 2> parts{};
    CHECK(f.queue.gather(parts) == 2);
    CHECK(f.queue.gather(std::span(parts).first(1)) == 1);
    CHECK(f.queue.gather(std::span(parts).first(0)) == 0);
    CHECK(f.queue.gather(parts, f.queue.size() - 1) == 1);
    CHECK(parts[0].iov_len == 1);
    CHECK(f.queue.gather(parts, f.queue.size()) == 0);
}

TEST_CASE("gathered bytes are the queue's own, not a copy") {
    Fixture f;
    f.queue.append("abc");
    std::array<iovec, 1> parts{};
    REQUIRE(f.queue.gather(parts, 1) == 1);
    CHECK(parts[0].iov_base == f.queue.front().data() + 1);
}

TEST_CASE("a queue can be appended to itself") {
    Fixture f;
    f.queue.append("ab");
    f.queue.append(f.queue.front());
    CHECK(f.queue.front() == "abab");
}

TEST_CASE("a moved queue takes its bytes along and leaves an empty one behind") {
    Fixture f;
    f.queue.append("abc");
    ByteQueue moved(std::move(f.queue));
    CHECK(moved.front() == "abc");
    CHECK(f.queue.empty());  // NOLINT(bugprone-use-after-move): being empty and usable is the promise
    f.queue.append("def");
    CHECK(f.queue.front() == "def");
    moved = std::move(f.queue);
    CHECK(moved.front() == "def");
    CHECK(f.queue.empty());
    CHECK(f.pool.held_bytes() == 2048);
}

TEST_CASE("a queue costs its connection four words") { CHECK(sizeof(ByteQueue) == 4 * sizeof(void*)); }

TEST_CASE("after any history a queue holds what a string would") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    Fixture f;
    std::string model;
    for (int step = 0; step < 3000; ++step) {
        const size_t scale = size_t{1} << (random() % 16);
        if (random() % 2 == 0) {
            const std::string bytes = random_bytes(random, random() % scale);
            f.queue.append(bytes);
            model += bytes;
        } else {
            const size_t count =
                random() % 8 == 0 ? model.size() : std::min<size_t>(random() % (2 * scale), model.size());
            f.queue.consume(count);
            model.erase(0, count);
        }
        const size_t offset = model.empty() ? 0 : random() % model.size();
        REQUIRE(f.queue.size() == model.size());
        REQUIRE(f.queue.empty() == model.empty());
        REQUIRE(gathered(f.queue, offset) == model.substr(offset));
        REQUIRE(model.starts_with(f.queue.front()));
        REQUIRE(f.queue.front().empty() == model.empty());
        REQUIRE((f.pool.held_bytes() == 0) == model.empty());
        // At worst the first block is nearly consumed, and the last has just been begun.
        REQUIRE(f.pool.held_bytes() <= model.size() * 101 / 100 + 2 * ByteQueue::kBlock);
    }
}

}  // namespace
}  // namespace weir
