#include "base/timing_wheel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRound = TimingWheel::kSlots * TimingWheel::kTick;
/// Not a whole tick, as a real clock's start would not be.
constexpr Time kStart{1000s + 7ms};

/// Counts its calls and does then whatever the test wants.
struct Alarm {
    explicit Alarm(TimingWheel& wheel) : timer(wheel, &Alarm::expired, this) {}

    static void expired(void* owner, Time now) {
        auto& self = *static_cast<Alarm*>(owner);
        CHECK(self.timer.deadline() == kNever);
        ++self.calls;
        self.called_at = now;
        if (const auto then = self.then) then();  // a copy: it may destroy the alarm
    }

    int calls = 0;
    Time called_at{};
    std::function<void()> then;
    Timer timer;
};

TEST_CASE("a timer fires in the first advance at or after its deadline, once") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    alarm.timer.arm(kStart + 30ms);
    CHECK(alarm.timer.deadline() == kStart + 30ms);
    wheel.advance(kStart + 20ms);
    wheel.advance(kStart + 30ms - 1ns);
    CHECK(alarm.calls == 0);
    wheel.advance(kStart + 30ms);
    CHECK(alarm.calls == 1);
    CHECK(alarm.called_at == kStart + 30ms);
    CHECK(alarm.timer.deadline() == kNever);
    wheel.advance(kStart + 1h);
    CHECK(alarm.calls == 1);
}

TEST_CASE("a timer armed for the past fires in the next advance") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    wheel.advance(kStart + 1s);
    for (const Time deadline : {kStart + 1s, kStart + 1ms, kStart, kStart - 1h, Time::min()}) {
        alarm.calls = 0;
        alarm.timer.arm(deadline);
        wheel.advance(kStart + 1s);
        CHECK(alarm.calls == 1);
    }
}

TEST_CASE("a disarmed timer does not fire") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    alarm.timer.arm(kStart + 1s);
    SUBCASE("by disarm") { alarm.timer.disarm(); }
    SUBCASE("by arming it for kNever") { alarm.timer.arm(kNever); }
    CHECK(alarm.timer.deadline() == kNever);
    CHECK(wheel.empty());
    alarm.timer.disarm();
    wheel.advance(kStart + 2s);
    CHECK(alarm.calls == 0);
}

TEST_CASE("the wheel counts the armed timers") {
    TimingWheel wheel(kStart);
    CHECK(wheel.empty());
    Alarm one(wheel);
    one.timer.arm(kStart + 1s);
    {
        Alarm other(wheel);
        other.timer.arm(kStart + 1s);
        other.timer.arm(kStart + 2s);
        CHECK(wheel.size() == 2);
    }
    CHECK(wheel.size() == 1);
    wheel.advance(kStart + 1s);
    CHECK(wheel.empty());
}

TEST_CASE("a deadline can be moved later and earlier, any number of times") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    alarm.timer.arm(kStart + 1s);
    for (Duration at = 0ms; at < 10s; at += 100ms) {
        alarm.timer.arm(kStart + at + 1s);
        wheel.advance(kStart + at);
    }
    CHECK(alarm.calls == 0);
    alarm.timer.arm(kStart + 9950ms);
    wheel.advance(kStart + 9949ms);
    CHECK(alarm.calls == 0);
    wheel.advance(kStart + 9950ms);
    CHECK(alarm.calls == 1);
}

TEST_CASE("a timer that was disarmed and armed again fires at the new deadline") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    alarm.timer.arm(kStart + 1s);
    alarm.timer.disarm();
    Time deadline = kStart;
    SUBCASE("later") { deadline = kStart + 2s; }
    SUBCASE("earlier") { deadline = kStart + 500ms; }
    SUBCASE("after the old one went by") {
        wheel.advance(kStart + 5s);
        deadline = kStart + 6s;
    }
    alarm.timer.arm(deadline);
    wheel.advance(deadline - 1ns);
    CHECK(alarm.calls == 0);
    wheel.advance(deadline);
    CHECK(alarm.calls == 1);
}

TEST_CASE("a deadline beyond one round waits for its own round") {
    for (const Duration wait : {kRound - 1ns, kRound, kRound + 1ns, 3 * kRound + 5ms, Duration(48h)}) {
        TimingWheel wheel(kStart);
        Alarm alarm(wheel);
        alarm.timer.arm(kStart + wait);
        for (Duration at = 0ms; at < wait; at += kRound / 16) wheel.advance(kStart + at);
        wheel.advance(kStart + wait - 1ns);
        CHECK(alarm.calls == 0);
        wheel.advance(kStart + wait);
        CHECK(alarm.calls == 1);
    }
}

/// One alarm a tick, from kStart on.
std::vector<std::unique_ptr<Alarm>> one_a_tick(TimingWheel& wheel, size_t ticks) {
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (size_t i = 0; i < ticks; ++i) {
        alarms.push_back(std::make_unique<Alarm>(wheel));
        alarms.back()->timer.arm(kStart + static_cast<int64_t>(i) * TimingWheel::kTick);
    }
    return alarms;
}

TEST_CASE("a jump fires each due timer once and no other, whichever slot it is in") {
    constexpr size_t kAlarms = 3 * TimingWheel::kSlots;
    for (const size_t due : {size_t{1}, TimingWheel::kSlots, TimingWheel::kSlots + 1, kAlarms - 1, kAlarms}) {
        TimingWheel wheel(kStart);
        const auto alarms = one_a_tick(wheel, kAlarms);
        wheel.advance(kStart + static_cast<int64_t>(due - 1) * TimingWheel::kTick);
        CHECK(wheel.size() == kAlarms - due);
        CHECK(std::all_of(alarms.begin(), alarms.end(), [&](const auto& alarm) {
            return alarm->calls == (alarm->timer.deadline() == kNever ? 1 : 0);
        }));
        wheel.advance(kStart + 3 * kRound);
        CHECK(std::all_of(alarms.begin(), alarms.end(), [](const auto& alarm) { return alarm->calls == 1; }));
    }
}

TEST_CASE("a callback that re-arms its timer for now waits for the next advance") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    alarm.then = [&] { alarm.timer.arm(alarm.called_at); };
    alarm.timer.arm(kStart + 1s);
    wheel.advance(kStart + 10s);
    CHECK(alarm.calls == 1);
    wheel.advance(kStart + 10s);
    CHECK(alarm.calls == 2);
}

TEST_CASE("a callback can destroy, disarm and move the timers that are due with it") {
    TimingWheel wheel(kStart);
    // Of the one called first and its two neighbours, one is destroyed, one disarmed and one moved.
    for (size_t turn = 0; turn < 3; ++turn) {
        const Time base = kStart + static_cast<int64_t>(turn) * 10s;
        std::vector<std::unique_ptr<Alarm>> alarms;
        bool acted = false;
        int calls = 0;
        for (size_t i = 0; i < 3; ++i) {
            alarms.push_back(std::make_unique<Alarm>(wheel));
            alarms[i]->timer.arm(base + 1s);
            alarms[i]->then = [&, i] {
                ++calls;
                if (acted) return;
                acted = true;
                alarms[(i + turn) % 3].reset();
                alarms[(i + turn + 1) % 3]->timer.disarm();
                alarms[(i + turn + 2) % 3]->timer.arm(base + 2s);
            };
        }
        wheel.advance(base + 1s);
        CHECK(calls == 1);
        CHECK(wheel.size() == 1);
        wheel.advance(base + 2s);
        CHECK(calls == 2);
    }
}

TEST_CASE("time that stands still or goes back harms nothing") {
    TimingWheel wheel(kStart);
    Alarm alarm(wheel);
    wheel.advance(kStart + 10s);
    alarm.timer.arm(kStart + 11s);
    wheel.advance(kStart - 1h);
    wheel.advance(kStart + 5s);
    wheel.advance(kStart + 11s - 1ns);
    CHECK(alarm.calls == 0);
    wheel.advance(kStart + 11s);
    CHECK(alarm.calls == 1);
}

/// Plays random operations, inside callbacks too, to the wheel and to a plain sorted map, and compares.
class RandomTrace {
  public:
    explicit RandomTrace(uint32_t seed) : random_(seed) { subjects_.resize(60); }

    void run(int steps) {
        for (int step = 0; step < steps; ++step) {
            if (chance(3)) {
                advance();
            } else {
                change_something();
            }
            compare();
        }
        subjects_.clear();
        REQUIRE(wheel_.empty());
    }
    [[nodiscard]] int calls() const { return calls_; }

  private:
    struct Subject {
        Subject(RandomTrace& owner, int number)
            : trace(owner), id(number), timer(owner.wheel_, &Subject::expired, this) {}
        static void expired(void* owner, Time now) {
            auto& self = *static_cast<Subject*>(owner);
            self.trace.on_expired(self, now);
        }
        RandomTrace& trace;
        int id;
        Timer timer;
    };
    using Model = std::multimap<Time, int>;

    bool chance(uint32_t one_in) { return random_() % one_in == 0; }

    Duration random_wait() {
        const auto upto = [this](Duration most) {
            return Duration(static_cast<int64_t>(random_() % static_cast<uint64_t>(most.count())));
        };
        switch (random_() % 6) {
            case 0: return upto(100ms) - 50ms;
            case 1: return upto(5s);
            case 2:
                return upto(200ms) + static_cast<int64_t>(random_() % 4) * kRound;  // few slots, many rounds
            case 3: return static_cast<int64_t>(random_() % 8) * TimingWheel::kTick;
            case 4: return upto(3 * kRound);
            default: return upto(48h);
        }
    }

    void forget(int id) {
        std::erase_if(model_, [id](const Model::value_type& entry) { return entry.second == id; });
    }

    void change_something() {
        std::unique_ptr<Subject>& subject = subjects_[random_() % subjects_.size()];
        if (subject == nullptr) subject = std::make_unique<Subject>(*this, next_id_++);
        forget(subject->id);
        if (chance(8)) {
            subject.reset();
        } else if (chance(8)) {
            subject->timer.disarm();
        } else {
            const Time deadline = now_ + random_wait();
            subject->timer.arm(deadline);
            model_.emplace(deadline, subject->id);
            if (advancing_) armed_meanwhile_.insert(subject->id);
        }
    }

    void advance() {
        now_ += chance(100) ? random_wait() + 1s : std::max<Duration>(random_wait() / 16, 0ns);
        advancing_ = true;
        fired_.clear();
        armed_meanwhile_.clear();
        wheel_.advance(now_);
        advancing_ = false;
        for (auto entry = model_.begin(); entry != model_.upper_bound(now_); ++entry) {
            INFO("due and not fired: ", entry->second);
            REQUIRE(armed_meanwhile_.contains(entry->second));
        }
    }

    void on_expired(Subject& subject, Time now) {
        CHECK(now == now_);
        CHECK(subject.timer.deadline() == kNever);
        const auto entry = std::find_if(model_.begin(), model_.end(),
                                        [&](const auto& armed) { return armed.second == subject.id; });
        CHECK(entry != model_.end());
        if (entry == model_.end()) return;
        CHECK(entry->first <= now);
        CHECK(fired_.insert(subject.id).second);
        CHECK_FALSE(armed_meanwhile_.contains(subject.id));
        model_.erase(entry);
        ++calls_;
        for (uint32_t changes = random_() % 4; changes > 0; --changes) change_something();
        if (chance(4)) {  // its own, which `subject` must not be used after
            for (auto& owned : subjects_) {
                if (owned.get() != &subject) continue;
                forget(subject.id);
                owned.reset();
                break;
            }
        }
    }

    void compare() {
        REQUIRE(wheel_.size() == model_.size());
        REQUIRE(wheel_.empty() == model_.empty());
    }

    std::mt19937 random_;
    Time now_ = kStart;
    TimingWheel wheel_{kStart};
    std::vector<std::unique_ptr<Subject>> subjects_;
    Model model_;
    std::set<int> fired_;
    std::set<int> armed_meanwhile_;
    bool advancing_ = false;
    int next_id_ = 0;
    int calls_ = 0;
};

TEST_CASE("after any history, advance fires exactly the timers that a sorted map would") {
    const auto first_seed = std::random_device{}();
    for (uint32_t seed = first_seed; seed != first_seed + 20; ++seed) {
        CAPTURE(seed);
        RandomTrace trace(seed);
        trace.run(3000);
        CHECK(trace.calls() > 100);
    }
}

}  // namespace
}  // namespace weir
