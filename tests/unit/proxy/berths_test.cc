#include "proxy/berths.h"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "net/driven_loop.h"
#include "net/sockets.h"

namespace weir::proxy {

namespace {

using Verdict = Berths::Verdict;

/// A worker's part, and how often it was called.
struct Party {
    Party(net::RemoteTasks& tasks, const std::shared_ptr<Berths>& berths)
        : party(
              berths, tasks, [](void* self) { ++static_cast<Party*>(self)->calls; }, this) {}

    int calls = 0;
    BerthParty party;
};

/// Three workers that live on one loop.
struct Harbour {
    explicit Harbour(uint32_t bound) : berths(std::make_shared<Berths>(bound)) {}

    /// How often each was called since the last time.
    std::vector<int> calls() {
        driven.settle(3);
        return {std::exchange(a.calls, 0), std::exchange(b.calls, 0), std::exchange(c.calls, 0)};
    }
    /// Gives one that the berth is of.
    Verdict offer(Berth& berth) {
        return berths->offer([&] {
            auto connection = std::make_unique<HandedOver>();
            connection->berth = std::move(berth);
            connection->requests = 7;
            return connection;
        });
    }

    net::DrivenLoop driven;
    net::RemoteTasks tasks{driven.loop};
    std::shared_ptr<Berths> berths;
    Party a{tasks, berths}, b{tasks, berths}, c{tasks, berths};
};

using Calls = std::vector<int>;

}  // namespace

TEST_CASE("no more berths are taken than there are, and one that is dropped is there again") {
    Berths berths(2);
    Berth first = berths.take();
    Berth second = berths.take();
    CHECK((first && second));
    CHECK_FALSE(berths.take());
    first.drop();
    first = berths.take();
    CHECK(first);
    Berth moved = std::move(second);
    CHECK_FALSE(second);
    moved = Berth();
    CHECK(berths.taken() == 1);
}

TEST_CASE("room that becomes free goes to who waits longest, and to nobody who comes later") {
    Harbour harbour(1);
    Berth taken = harbour.berths->take();
    BerthWish first(harbour.a.party, true);
    BerthWish second(harbour.b.party, true);
    CHECK(harbour.calls() == Calls{1, 1, 1});  // nobody seems to have any: all are asked
    CHECK_FALSE(first.claim());
    taken.drop();
    CHECK_FALSE(harbour.berths->take());
    CHECK(harbour.calls() == Calls{1, 0, 0});
    CHECK_FALSE(second.claim());
    auto granted = first.claim();
    REQUIRE(granted);
    CHECK(granted->berth);
    CHECK_FALSE(granted->connection);
    CHECK_FALSE(first.claim());
    CHECK(harbour.berths->taken() == 1);
}

TEST_CASE("who seems to have most idle is asked, and where that one has none, all are, once") {
    Harbour harbour(1);
    Berth taken = harbour.berths->take();
    harbour.b.party.note_idle(1);
    harbour.c.party.note_idle(3);
    BerthWish wish(harbour.a.party, true);
    CHECK(harbour.calls() == Calls{0, 0, 1});
    CHECK(harbour.berths->has_none());
    CHECK(harbour.calls() == Calls{1, 1, 1});
    CHECK(harbour.berths->has_none());
    CHECK(harbour.berths->has_none());
    CHECK(harbour.calls() == Calls{0, 0, 0});
}

TEST_CASE("a connection that nobody wants is kept, and one that is wanted goes over with its berth") {
    Harbour harbour(1);
    Berth taken = harbour.berths->take();
    CHECK(harbour.offer(taken) == Verdict::keep);
    CHECK(taken);
    BerthWish wish(harbour.a.party, true);
    CHECK(harbour.offer(taken) == Verdict::handed_over);
    CHECK_FALSE(taken);
    CHECK(harbour.berths->taken() == 1);
    auto granted = wish.claim();
    REQUIRE(granted);
    REQUIRE(granted->connection);
    CHECK(granted->connection->requests == 7);
    CHECK_FALSE(harbour.berths->has_none());
}

TEST_CASE("who wants a new connection gets the room of one that is closed for it") {
    Harbour harbour(1);
    Berth taken = harbour.berths->take();
    BerthWish wish(harbour.a.party, false);
    CHECK(harbour.offer(taken) == Verdict::close);
    taken.drop();
    auto granted = wish.claim();
    REQUIRE(granted);
    CHECK(granted->berth);
}

TEST_CASE("a wish that is taken back gives on what it was granted") {
    Harbour harbour(1);
    Berth taken = harbour.berths->take();
    auto first = std::make_unique<BerthWish>(harbour.a.party, true);
    BerthWish second(harbour.b.party, true);
    BerthWish third(harbour.c.party, true);
    SUBCASE("room") { taken.drop(); }
    SUBCASE("a connection") { REQUIRE(harbour.offer(taken) == Verdict::handed_over); }
    CHECK_FALSE(second.claim());
    first.reset();
    auto granted = second.claim();
    REQUIRE(granted);
    CHECK(granted->berth);
    CHECK_FALSE(third.claim());
    CHECK(harbour.berths->taken() == 1);
}

TEST_CASE("a bound that is lowered calls for what is too much, and one that is raised lets in who waits") {
    Harbour harbour(2);
    Berth first = harbour.berths->take();
    Berth second = harbour.berths->take();
    harbour.berths->set_bound(1);
    CHECK(harbour.calls() == Calls{1, 1, 1});
    CHECK(harbour.berths->has_none());
    BerthWish wish(harbour.a.party, true);
    CHECK(harbour.offer(second) == Verdict::close);  // nobody is let in above the bound
    second.drop();
    CHECK_FALSE(wish.claim());
    harbour.berths->set_bound(2);
    CHECK(wish.claim());
}

TEST_CASE("who must have a berth has one past the bound, and that is made up for") {
    Harbour harbour(1);
    Berth first = harbour.berths->take();
    Berth second = harbour.berths->take_anyway();
    CHECK(second);
    CHECK(harbour.berths->taken() == 2);
    CHECK(harbour.calls() == Calls{1, 1, 1});
    CHECK(harbour.offer(first) == Verdict::close);
}

TEST_CASE("a party that joins while somebody waits is asked too") {
    Harbour harbour(1);
    Berth taken = harbour.berths->take();
    BerthWish wish(harbour.a.party, true);
    (void)harbour.calls();
    Party late(harbour.tasks, harbour.berths);
    harbour.driven.settle(3);
    CHECK(late.calls == 1);
}

namespace {

/// Does at random whatever a worker may, on a thread of its own; what it is called for it learns by a flag.
class Sailor {
  public:
    Sailor(const std::shared_ptr<Berths>& berths, uint32_t seed, std::atomic<uint32_t>& open)
        : berths_(berths), open_(open), random_(seed) {
        party_ = std::make_unique<BerthParty>(
            berths, tasks_, [](void*) {}, this);
    }
    ~Sailor() {
        wishes_.clear();
        while (!idle_.empty()) close(idle_);
        while (!used_.empty()) close(used_);
    }

    void run(int steps) {
        for (int step = 0; step < steps; ++step) {
            switch (random_() % 8) {
                case 0:
                case 1: begin(); break;
                case 2: end(); break;
                case 3:
                    if (!wishes_.empty() && random_() % 4 == 0) wishes_.pop_back();
                    break;
                case 4: close(used_); break;
                case 5: close(idle_); break;
                default: look(); break;
            }
        }
    }
    [[nodiscard]] uint64_t granted() const { return granted_; }

    /// What a connection is in this test: a berth, and one more of what is open.
    std::vector<Berth> idle_, used_;
    std::vector<std::unique_ptr<BerthWish>> wishes_;

    void look() {
        for (size_t index = 0; index < wishes_.size();) {
            auto got = wishes_[index]->claim();
            if (!got) {
                ++index;
                continue;
            }
            ++granted_;
            wishes_.erase(wishes_.begin() + static_cast<ptrdiff_t>(index));
            const bool is_used = got->connection != nullptr;
            used_.push_back(std::move(is_used ? got->connection->berth : got->berth));
        }
        while (!idle_.empty()) {
            Berth last = std::move(idle_.back());
            idle_.pop_back();
            const Verdict verdict = berths_->offer([&] {
                auto connection = std::make_unique<HandedOver>();
                connection->berth = std::move(last);
                return connection;
            });
            if (verdict != Verdict::keep) continue;
            idle_.push_back(std::move(last));
            return;
        }
        (void)berths_->has_none();
    }

  private:
    void begin() {
        if (!idle_.empty()) {
            used_.push_back(std::move(idle_.back()));
            idle_.pop_back();
        } else if (Berth berth = berths_->take()) {
            if (berths_->taken() > open_) was_above = true;
            used_.push_back(std::move(berth));
        } else if (wishes_.size() < 5) {
            wishes_.push_back(std::make_unique<BerthWish>(*party_, random_() % 4 != 0));
        }
    }
    void end() {
        if (used_.empty()) return;
        idle_.push_back(std::move(used_.back()));
        used_.pop_back();
    }
    static void close(std::vector<Berth>& all) {
        if (!all.empty()) all.pop_back();
    }

    net::Loop loop_;
    net::RemoteTasks tasks_{loop_};
    std::shared_ptr<Berths> berths_;
    std::unique_ptr<BerthParty> party_;
    std::atomic<uint32_t>& open_;
    std::mt19937 random_;
    uint64_t granted_ = 0;

  public:
    bool was_above = false;
};

}  // namespace

TEST_CASE("whatever several threads do at once, the bound holds and nobody is forgotten") {
    const uint32_t seed = std::random_device()();
    INFO("seed ", seed);
    std::atomic<uint32_t> bound = 5;
    auto berths = std::make_shared<Berths>(bound);
    std::vector<std::unique_ptr<Sailor>> sailors;
    for (uint32_t index = 0; index < 4; ++index)
        sailors.push_back(std::make_unique<Sailor>(berths, seed + index, bound));
    // Where the threads hardly meet, since there are few cores or others use them, they go on until they
    // have.
    constexpr uint64_t kEnough = 100;
    std::atomic<uint64_t> granted = 0;
    std::barrier begin(std::ssize(sailors));
    std::vector<std::thread> threads;
    for (auto& sailor : sailors)
        threads.emplace_back([&] {
            begin.arrive_and_wait();
            for (int round = 0; round < 10 || (granted <= kEnough && round < 10'000); ++round) {
                const uint64_t before = sailor->granted();
                sailor->run(3'000);
                granted += sailor->granted() - before;
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (auto& sailor : sailors) CHECK_FALSE(sailor->was_above);
    CHECK(granted > kEnough);
    // What is in use comes back, and all who wait have their turn.
    for (int round = 0; round < 10; ++round)
        for (auto& sailor : sailors) {
            while (!sailor->used_.empty()) {
                sailor->idle_.push_back(std::move(sailor->used_.back()));
                sailor->used_.pop_back();
            }
            sailor->look();
        }
    for (auto& sailor : sailors) CHECK(sailor->wishes_.empty());
    sailors.clear();
    CHECK(berths->taken() == 0);
}

}  // namespace weir::proxy
