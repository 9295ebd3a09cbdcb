#include "policy/release_pacer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1000s};

bool may_go(const ReleasePacer& pacer, Time now) { return pacer.next() <= now; }

TEST_CASE("while the app can be reached nothing is held back") {
    ReleasePacer pacer;
    CHECK(pacer.is_open());
    for (int i = 0; i < 1000; ++i) {
        CHECK(may_go(pacer, Time{}));
        CHECK(pacer.let_go() == 0);
    }
}

TEST_CASE("one request at a time tries an app that is gone, less and less often") {
    ReleasePacer pacer;
    pacer.close(kStart);
    Time now = kStart;
    for (const Duration pause : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        CHECK(pacer.next() == now + pause);
        now += pause;
        const auto ticket = pacer.let_go();
        CHECK(pacer.next() == kNever);
        pacer.close(now);
        CHECK(pacer.next() == kNever);
        pacer.failed(ticket, now);
    }
    CHECK_FALSE(pacer.is_open());
}

TEST_CASE("a hint that the app is back lets the next one go at once, and no second one beside it") {
    ReleasePacer pacer;
    pacer.close(kStart);
    pacer.hurry(kStart + 10ms);
    CHECK(pacer.next() == kStart + 10ms);
    const auto ticket = pacer.let_go();
    pacer.hurry(kStart + 20ms);
    CHECK(pacer.next() == kNever);
    pacer.left(ticket);
    CHECK(may_go(pacer, kStart + 20ms));
}

TEST_CASE("as answers come the number inside the app doubles with each round") {
    ReleasePacer pacer;
    pacer.close(kStart);
    uint64_t held = 200;
    for (const size_t expected : {1U, 2U, 4U, 8U, 16U, 32U}) {
        std::vector<ReleasePacer::Ticket> running;
        while (may_go(pacer, kStart + 1s)) {
            running.push_back(pacer.let_go());
            --held;
        }
        CHECK(running.size() == expected);
        for (const auto ticket : running) pacer.answered(ticket, held);
    }
    CHECK_FALSE(pacer.is_open());
}

TEST_CASE("it is open once an answer comes and nothing is held, or all was given up") {
    ReleasePacer pacer;
    pacer.close(kStart);
    pacer.answered(pacer.let_go(), 0);
    CHECK(pacer.is_open());
    pacer.close(kStart);
    CHECK_FALSE(pacer.is_open());
    pacer.open();
    CHECK(pacer.is_open());
}

TEST_CASE("when the app is lost again, the failures of all that ran count as one") {
    ReleasePacer pacer;
    pacer.close(kStart);
    for (int i = 0; i < 7; ++i) pacer.answered(pacer.let_go(), 100);
    std::vector<ReleasePacer::Ticket> running;
    while (may_go(pacer, kStart + 1s)) running.push_back(pacer.let_go());
    CHECK(running.size() == 8);
    for (const auto ticket : running) pacer.failed(ticket, kStart + 2s);
    CHECK(pacer.next() == kStart + 2100ms);
    const auto probe = pacer.let_go();
    CHECK(pacer.next() == kNever);
    pacer.answered(running.front(), 100);
    CHECK(pacer.next() == kNever);
    pacer.answered(probe, 100);
    CHECK(may_go(pacer, kStart + 2100ms));
}

TEST_CASE("who finds the app gone closes it, though it had counted as back since that one was let go") {
    ReleasePacer pacer;
    pacer.close(kStart);
    pacer.answered(pacer.let_go(), 1);
    const auto last = pacer.let_go();
    SUBCASE("let go before") {
        pacer.open();
        pacer.failed(last, kStart + 1s);
    }
    SUBCASE("let go since") {
        pacer.open();
        pacer.failed(pacer.let_go(), kStart + 1s);
    }
    CHECK_FALSE(pacer.is_open());
    CHECK(pacer.next() == kStart + 1100ms);
}

/// An app that comes and goes, and requests that are held for it.
TEST_CASE("never are more let go than the answers allow, and none is forgotten while the app is there") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 100; ++round) {
        ReleasePacer pacer;
        pacer.close(kStart);
        Time now = kStart;
        const Time back = now + std::chrono::milliseconds(random() % 5000);
        struct Running {
            ReleasePacer::Ticket ticket;
            Time until;
        };
        std::vector<Running> running;
        uint64_t held = 1 + random() % 100;
        uint64_t answers = 0;
        Time first_after_back = kNever;
        while (held > 0 || !running.empty()) {
            now += 1ms;
            for (size_t i = running.size(); i-- > 0;) {
                if (running[i].until > now) continue;
                const auto ticket = running[i].ticket;
                running.erase(running.begin() + static_cast<ptrdiff_t>(i));
                const uint64_t fate = random() % 20;
                if (now < back) {
                    ++held;
                    pacer.failed(ticket, now);
                } else if (fate == 0) {
                    pacer.left(ticket);
                } else {
                    ++answers;
                    pacer.answered(ticket, held);
                }
            }
            while (held > 0 && may_go(pacer, now)) {
                --held;
                if (now >= back) first_after_back = std::min(first_after_back, now);
                running.push_back({pacer.let_go(), now + std::chrono::milliseconds(now < back ? 1 : 20)});
            }
            REQUIRE(running.size() <= answers + 1);
            REQUIRE(now < back + 1min);
        }
        CHECK(first_after_back <= back + ReleasePacer::kLongestPause + 2ms);
        CHECK(now <= back + ReleasePacer::kLongestPause + 1s);
    }
}

}  // namespace
}  // namespace weir::policy
