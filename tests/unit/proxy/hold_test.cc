#include "proxy/hold.h"

#include <doctest/doctest.h>

#include <memory>
#include <utility>
#include <vector>

#include "proxy/worker_parts.h"

namespace weir::proxy {

namespace {

using Answer = HeldPlace::Answer;

/// A request that is held, and what it was told.
struct Held {
    explicit Held(Hold& hold_) : hold(hold_) {}
    [[nodiscard]] bool join(policy::ClientKey client, size_t bytes = 1) {
        return hold.join(place, client, bytes);
    }

    static void on_answer(void* self, Answer answer) {
        auto& held = *static_cast<Held*>(self);
        held.answers.push_back(answer);
        if (answer == Answer::released) held.ticket = held.hold.ticket();
    }
    [[nodiscard]] bool is_released() const { return answers == std::vector{Answer::released}; }

    Hold& hold;
    std::vector<Answer> answers;
    policy::ReleasePacer::Ticket ticket = 0;
    HeldPlace place{&Held::on_answer, this};
};

/// An app that was lost, and those who wait for it.
class Holding {
  public:
    explicit Holding(size_t places, size_t workers = 1) {
        parts.settings.limits.queue.size.value = places;
        parts.workers = workers;
        hold = std::make_unique<Hold>(parts.kit());
        hold->lost(std::nullopt, now());
    }
    [[nodiscard]] Time now() { return parts.driven.loop.now(); }
    Held& add() {
        all.push_back(std::make_unique<Held>(*hold));
        return *all.back();
    }
    void hurry() {
        hold->hurry(now());
        parts.driven.settle(5);
    }
    [[nodiscard]] size_t released() const {
        size_t count = 0;
        for (const auto& held : all) count += held->is_released() ? 1 : 0;
        return count;
    }

    WorkerParts parts;
    std::unique_ptr<Hold> hold;
    std::vector<std::unique_ptr<Held>> all;
};

}  // namespace

TEST_CASE("nothing is held before the app is lost, and then until something tells that it is back") {
    WorkerParts parts;
    Hold hold(parts.kit());
    CHECK(hold.is_open());
    hold.lost(std::nullopt, parts.driven.loop.now());
    CHECK_FALSE(hold.is_open());
    Held held(hold);
    REQUIRE(held.join(1));
    parts.driven.settle(5);
    CHECK(held.answers.empty());
    hold.hurry(parts.driven.loop.now());
    parts.driven.settle(5);
    CHECK(held.is_released());
    CHECK_FALSE(held.place.is_taken());
}

TEST_CASE("without a word of the app one tries it after a while, and no second one beside it") {
    Holding holding(10);
    REQUIRE(holding.add().join(1));
    REQUIRE(holding.add().join(2));
    const Time begun = holding.now();
    REQUIRE(holding.parts.driven.until([&] { return holding.released() == 1; }));
    CHECK(holding.now() - begun >= policy::ReleasePacer::kFirstPause);
    holding.parts.driven.settle();
    CHECK(holding.released() == 1);
    CHECK(holding.all[0]->is_released());
}

TEST_CASE("with each answer one more is let go at once, and when all are the app counts as back") {
    Holding holding(10);
    for (policy::ClientKey client = 0; client < 3; ++client) REQUIRE(holding.add().join(client));
    holding.hurry();
    REQUIRE(holding.released() == 1);
    holding.hold->answered(holding.all[0]->ticket);
    holding.parts.driven.settle(5);
    CHECK(holding.released() == 3);
    CHECK_FALSE(holding.hold->is_open());
    holding.hold->answered(holding.all[1]->ticket);
    holding.parts.driven.settle(5);
    CHECK(holding.hold->is_open());
}

TEST_CASE("who finds the app gone again is held again, and all others with it") {
    Holding holding(10);
    REQUIRE(holding.add().join(1));
    REQUIRE(holding.add().join(2));
    holding.hurry();
    Held& first = *holding.all[0];
    REQUIRE(first.is_released());
    holding.hold->lost(first.ticket, holding.now());
    REQUIRE(first.join(1));
    holding.parts.driven.settle(5);
    CHECK(holding.released() == 1);
    CHECK(holding.hold->size() == 2);
    CHECK_FALSE(holding.hold->is_open());
}

TEST_CASE("the last that is let go does not try again at once where the app is lost meanwhile") {
    Holding holding(10);
    REQUIRE(holding.add().join(1));
    REQUIRE(holding.add().join(2));
    holding.hurry();
    holding.hold->answered(holding.all[0]->ticket);
    holding.parts.driven.settle(5);
    Held& last = *holding.all[1];
    REQUIRE(last.is_released());
    REQUIRE(holding.hold->is_open());
    holding.hold->lost(last.ticket, holding.now());
    REQUIRE(last.join(2));
    holding.parts.driven.settle(5);
    CHECK(last.is_released());  // once, so far
    CHECK_FALSE(holding.hold->is_open());
}

TEST_CASE("who was let go and leaves makes way for the next") {
    Holding holding(10);
    REQUIRE(holding.add().join(1));
    REQUIRE(holding.add().join(2));
    holding.hurry();
    holding.hold->left(holding.all[0]->ticket);
    REQUIRE(holding.parts.driven.until([&] { return holding.released() == 2; }));
}

TEST_CASE("where there is no place left the newest of the client with the most makes room for others") {
    Holding holding(3);
    for (int i = 0; i < 3; ++i) REQUIRE(holding.add().join(1));
    CHECK_FALSE(holding.add().join(1));
    REQUIRE(holding.add().join(2));
    CHECK(holding.all[2]->answers == std::vector{Answer::turned_away});
    CHECK_FALSE(holding.all[2]->place.is_taken());
    CHECK(holding.hold->size() == 3);
}

TEST_CASE("another plan changes how many may be held, and those that are stay") {
    Holding holding(3);
    for (int i = 0; i < 2; ++i) REQUIRE(holding.add().join(1));
    config::Settings settings = holding.parts.settings;
    settings.limits.queue.size.value = 1;
    Kit& kit = holding.parts.kit();
    kit.plans.adopt(std::make_shared<Plan>(settings, Surroundings{.seed = HashSeed{1, 2}, .workers = 1}));
    holding.hold->adopt();
    CHECK_FALSE(holding.add().join(1));
    CHECK(holding.hold->size() == 2);
    CHECK(holding.all[0]->answers.empty());
    CHECK(holding.all[1]->answers.empty());
}

TEST_CASE("who has been let go is remembered no longer: the next time all begin alike") {
    Holding holding(10);
    REQUIRE(holding.add().join(1));
    holding.hurry();
    REQUIRE(holding.released() == 1);
    holding.hold->lost(holding.all[0]->ticket, holding.now());
    REQUIRE(holding.add().join(1));
    REQUIRE(holding.add().join(2));
    holding.hurry();
    CHECK(holding.all[1]->is_released());
    CHECK(holding.all[2]->answers.empty());
}

TEST_CASE("the places are shared out among the workers") {
    Holding holding(7, 3);
    CHECK(holding.add().join(1));
    CHECK(holding.add().join(1));
    CHECK_FALSE(holding.add().join(1));
}

TEST_CASE("what is held takes a quarter of the memory at most") {
    Holding holding(1000);
    const size_t quarter = holding.parts.settings.limits.memory_bytes / 4;
    CHECK(holding.add().join(1, quarter));
    CHECK_FALSE(holding.add().join(1, 1));
}

TEST_CASE("a client with many held delays another one by one of its own") {
    Holding holding(100);
    for (int i = 0; i < 50; ++i) REQUIRE(holding.add().join(1));
    Held& polite = holding.add();
    REQUIRE(polite.join(2));
    holding.hurry();
    CHECK(holding.all[0]->is_released());
    holding.hold->answered(holding.all[0]->ticket);
    holding.parts.driven.settle(5);
    CHECK(polite.is_released());
    CHECK(holding.released() == 3);
}

TEST_CASE("who leaves, or is destroyed, frees its place, and the last one opens the way for whoever comes") {
    Holding holding(2);
    Held& first = holding.add();
    REQUIRE(first.join(1));
    REQUIRE(holding.add().join(1));
    holding.all.pop_back();
    CHECK(holding.hold->size() == 1);
    holding.parts.driven.settle(5);
    CHECK_FALSE(holding.hold->is_open());
    holding.hold->leave(first.place);
    holding.hold->leave(first.place);
    CHECK(holding.hold->size() == 0);
    holding.parts.driven.settle(5);
    CHECK(holding.hold->is_open());
    CHECK(first.answers.empty());
}

}  // namespace weir::proxy
