#include "proxy/count.h"

#include <doctest/doctest.h>

#include <array>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace weir::proxy {

TEST_CASE("figures that threads count apart add up to all that was counted") {
    constexpr uint64_t kEach = 20'000;
    std::array<Count, 4> counts;
    std::array<Histogram, 4> histograms;
    std::array<CodeCounts, 4> codes;
    {
        std::vector<std::jthread> threads;
        for (size_t own = 0; own < counts.size(); ++own)
            threads.emplace_back([&, own] {
                for (uint64_t i = 0; i < kEach; ++i) {
                    counts[own].add(2);
                    histograms[own].observe(Duration(i));
                    codes[own].add(static_cast<uint16_t>(200 + own * 100 + i % 2));
                }
            });
        // Reading meanwhile disturbs nobody, and never sees more than there is.
        for (int look = 0; look < 1000; ++look) {
            CHECK(counts[0].read() <= 2 * kEach);
            CHECK(histograms[0].read().count() <= kEach);
            CHECK(codes[0].read(200) <= kEach / 2);
        }
    }
    HistogramFigures sum;
    for (const Histogram& histogram : histograms) sum += histogram.read();
    CHECK(sum.count() == 4 * kEach);
    CHECK(sum.nanoseconds == 4 * (kEach * (kEach - 1) / 2));
    for (size_t own = 0; own < counts.size(); ++own) {
        CHECK(counts[own].read() == 2 * kEach);
        CHECK(codes[own].read(static_cast<uint16_t>(201 + own * 100)) == kEach / 2);
    }
}

TEST_CASE("a duration falls into the first bucket whose bound is not below it") {
    CHECK(Buckets::index_of(-1ns) == 0);
    CHECK(Buckets::index_of(0ns) == 0);
    CHECK(Buckets::index_of(100us) == 0);
    CHECK(Buckets::index_of(100us + 1ns) == 1);
    CHECK(Buckets::index_of(60s) == Buckets::kBounds.size() - 1);
    CHECK(Buckets::index_of(60s + 1ns) == Buckets::kBounds.size());
    for (size_t i = 0; i < Buckets::kBounds.size(); ++i) {
        CAPTURE(i);
        const auto bound = std::chrono::round<Duration>(std::chrono::duration<double>(Buckets::kBounds[i]));
        CHECK(Buckets::index_of(bound) == i);
        CHECK(Buckets::index_of(bound + 1ns) == i + 1);
    }
}

TEST_CASE("a histogram keeps the sum, and takes what is negative for nothing") {
    Histogram histogram;
    histogram.observe(1ms);
    histogram.observe(2s);
    histogram.observe(-5ms);
    const HistogramFigures figures = histogram.read();
    CHECK(figures.count() == 3);
    CHECK(figures.sum_seconds() == doctest::Approx(2.001));
}

TEST_CASE("a quantile lies within its bucket, and at the highest bound where it is beyond all") {
    Histogram histogram;
    CHECK(histogram.read().quantile(0.5) == 0);
    for (int i = 0; i < 90; ++i) histogram.observe(20ms);  // in 10 to 25 ms
    for (int i = 0; i < 10; ++i) histogram.observe(3s);    // in 2.5 to 5 s
    const HistogramFigures figures = histogram.read();
    CHECK(figures.quantile(0.45) == doctest::Approx(0.0175));
    CHECK(figures.quantile(0.9) == doctest::Approx(0.025));
    CHECK(figures.quantile(0.95) == doctest::Approx(3.75));
    CHECK(figures.quantile(1) == doctest::Approx(5));
    histogram.observe(1h);
    CHECK(histogram.read().quantile(1) == 60);
}

TEST_CASE("status codes are counted one by one, from 100 to 599") {
    CodeCounts codes;
    for (uint16_t code = CodeCounts::kLeast; code <= CodeCounts::kMost; ++code) CHECK(codes.read(code) == 0);
    for (uint16_t code : std::to_array<uint16_t>({100, 199, 200, 200, 404, 599})) codes.add(code);
    CHECK(codes.read(100) == 1);
    CHECK(codes.read(199) == 1);
    CHECK(codes.read(200) == 2);
    CHECK(codes.read(201) == 0);
    CHECK(codes.read(404) == 1);
    CHECK(codes.read(599) == 1);
}

}  // namespace weir::proxy
