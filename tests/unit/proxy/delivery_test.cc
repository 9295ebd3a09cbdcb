#include "proxy/delivery.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace weir::proxy {

TEST_CASE("all is delivered once the connection is acknowledged up to the stream's end") {
    Delivery delivery;
    CHECK(delivery.sample(0) == 0);
    delivery.note_sent(100, 150);
    CHECK(delivery.sample(149) == 0);
    CHECK(delivery.sample(150) == 100);
}

TEST_CASE("a slow reader of one large answer is seen to move") {
    Delivery delivery;
    delivery.note_sent(1000, 1000);
    CHECK(delivery.sample(0) == 0);
    CHECK(delivery.sample(10) == 10);
    CHECK(delivery.sample(900) == 900);
}

TEST_CASE("a small stream beside a busy one moves, though the connection is never acknowledged to its end") {
    Delivery delivery;
    uint64_t offset = 0;
    uint64_t seen = 0;
    for (int round = 0; round < 100; ++round) {
        offset += 100'000;
        delivery.note_sent(10, offset);
        seen = delivery.sample(offset < 150'000 ? 0 : offset - 150'000);
    }
    CHECK(seen >= 950);
    CHECK(seen < 1000);
}

TEST_CASE("what is told is never more than was delivered, and never less than before") {
    const auto seed = std::random_device()();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        Delivery delivery;
        std::vector<std::pair<uint64_t, uint64_t>> pieces;  // offset behind it, bytes
        uint64_t offset = 0;
        uint64_t acknowledged = 0;
        uint64_t before = 0;
        for (int step = 0; step < 300; ++step) {
            offset += random() % 1000;
            const uint64_t bytes = random() % 500;
            offset += bytes;
            delivery.note_sent(bytes, offset);
            pieces.emplace_back(offset, bytes);
            acknowledged += random() % (offset - acknowledged + 1);
            uint64_t truth = 0;
            for (const auto& [end, size] : pieces)
                truth += end <= acknowledged ? size : size - std::min(size, end - acknowledged);
            const uint64_t told = delivery.sample(acknowledged);
            REQUIRE(told <= truth);
            REQUIRE(told >= before);
            before = told;
        }
        CHECK(delivery.sample(offset) == delivery.sent_bytes());
    }
}

}  // namespace weir::proxy
