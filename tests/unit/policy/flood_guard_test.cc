#include "policy/flood_guard.h"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>

namespace weir::policy {

using namespace std::chrono_literals;

namespace {

constexpr Time kStart{std::chrono::hours(1)};

uint32_t admitted(FloodGuard& guard, Flood kind, Time now) {
    uint32_t count = 0;
    while (count < 5000 && guard.admit(kind, now)) ++count;
    return count;
}

}  // namespace

TEST_CASE("a hundred resets pass at once, then ten a second") {
    for (const Flood kind : {Flood::resets, Flood::empty_data}) {
        FloodGuard guard;
        CHECK(admitted(guard, kind, kStart) == FloodGuard::kResets);
        CHECK_FALSE(guard.admit(kind, kStart + 99ms));
        CHECK(guard.admit(kind, kStart + 100ms));
        CHECK(admitted(guard, kind, kStart + 1100ms) == FloodGuard::kResetsPerSecond);
        CHECK(admitted(guard, kind, kStart + 1h) == FloodGuard::kResets);
    }
}

TEST_CASE("resets and frames without content are counted apart") {
    FloodGuard guard;
    CHECK(admitted(guard, Flood::resets, kStart) == FloodGuard::kResets);
    CHECK(admitted(guard, Flood::empty_data, kStart) == FloodGuard::kResets);
    CHECK(admitted(guard, Flood::control, kStart) == FloodGuard::kControls);
}

TEST_CASE("control frames around requests and bodies are no flood, resets always are") {
    FloodGuard guard;
    for (int round = 0; round < 10; ++round) {
        CHECK(admitted(guard, Flood::control, kStart) == FloodGuard::kControls);
        guard.note_progress();
    }
    CHECK(admitted(guard, Flood::resets, kStart) == FloodGuard::kResets);
    guard.note_progress();
    CHECK_FALSE(guard.admit(Flood::resets, kStart));
}

TEST_CASE("each field section has its own continuations") {
    FloodGuard guard;
    CHECK(admitted(guard, Flood::continuations, kStart) == FloodGuard::kContinuations);
    guard.begin_section();
    CHECK(admitted(guard, Flood::continuations, kStart) == FloodGuard::kContinuations);
}

TEST_CASE("what is one too many by itself is never admitted") {
    FloodGuard guard;
    for (const Flood kind : {Flood::fields, Flood::slow_fields, Flood::unread})
        CHECK_FALSE(guard.admit(kind, kStart));
}

TEST_CASE("every flood has a name of its own") {
    std::set<std::string_view> names;
    for (size_t kind = 0; kind < kFloods; ++kind) names.insert(name_of(static_cast<Flood>(kind)));
    CHECK(names.size() == kFloods);
    CHECK_FALSE(names.contains(""));
}

}  // namespace weir::policy
