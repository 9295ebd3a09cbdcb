// Room for connections to one server of the app, counted over all workers, so that idle connections of one
// worker do not keep the app's own workers from the requests of another.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/remote_task.h"
#include "net/socket.h"
#include "net/stream.h"
#include "proxy/count.h"

namespace weir::proxy {

class Berths;

/// Room for one connection, for as long as that is open. Dropping it gives it back. Thread: any, one at a
/// time. The Berths outlive it.
class Berth {
  public:
    Berth() = default;
    Berth(Berth&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Berth& operator=(Berth&& other) noexcept {
        Berth moved(std::move(other));
        std::swap(of_, moved.of_);
        return *this;
    }
    ~Berth();

    void drop() { *this = Berth(); }
    [[nodiscard]] explicit operator bool() const { return of_ != nullptr; }

  private:
    friend class Berths;
    explicit Berth(Berths& of) : of_(&of) {}

    Berths* of_ = nullptr;
};

/// An idle connection on its way from one worker to another.
struct HandedOver {
    Berth berth;  ///< ends last
    net::Stream::Parts parts;
    net::SocketAddress address;
    uint64_t requests = 0;  ///< that it has carried
    Time opened_at{};
    Time idle_since{};
    Duration announced_idle{0};
};

/// The part of one worker in them. Thread: its worker's; `called` runs there, after a batch: a wish was
/// granted, or what lies idle here is wanted elsewhere. Keeps the Berths.
class BerthParty {
  public:
    BerthParty(std::shared_ptr<Berths> berths, net::RemoteTasks& tasks, net::Task::Run called, void* owner);
    ~BerthParty();
    BerthParty(const BerthParty&) = delete;
    BerthParty& operator=(const BerthParty&) = delete;

    [[nodiscard]] Berths& berths() const { return *berths_; }
    [[nodiscard]] const std::shared_ptr<Berths>& shared() const { return berths_; }
    /// How many connections lie idle here: a hint to whom to ask.
    void note_idle(size_t count) { idle_.set(count); }

  private:
    friend class Berths;
    const std::shared_ptr<Berths> berths_;
    net::RemoteTask call_;  ///< posted under the lock, and only while this is known there
    Count idle_;
};

/// Of a connection for which there is no room yet. Pinned; thread: its party's, which outlives it. The
/// destructor takes it back, and gives up what was granted.
class BerthWish {
  public:
    /// `takes_used`: one that lay idle elsewhere will do.
    BerthWish(BerthParty& party, bool takes_used);
    ~BerthWish();
    BerthWish(const BerthWish&) = delete;
    BerthWish& operator=(const BerthWish&) = delete;

    /// Room, and a connection that has it already where that is set.
    struct Granted {
        Berth berth;
        std::unique_ptr<HandedOver> connection;
    };
    /// Nothing before the party is called.
    [[nodiscard]] std::optional<Granted> claim();

  private:
    friend class Berths;
    BerthParty& party_;
    const bool takes_used_;
    // Below, under the lock.
    bool is_known_to_all_ = false;
    Granted granted_;
};

/// - Never more connections than the bound, but for take_anyway() and while a bound that was lowered is being
///   reached.
/// - Room that becomes free goes to the first who waits, in the same call: nobody who comes later gets it.
/// - Who finds no room asks the party that seems to have most idle; where none has any, or that one turns out
///   to have none, all of them, once. Who was asked offers what it has and, while it owes, what becomes idle
///   with it, so that no wish is forgotten while anybody has a connection to give up.
///
/// One mutex, which opening and closing a connection take; reusing one does not. Threads: any.
class Berths {
  public:
    static constexpr uint32_t kUnbounded = UINT32_MAX;

    explicit Berths(uint32_t bound = kUnbounded) : bound_(bound) {}
    ~Berths();  ///< asserts that none is taken and nobody waits
    Berths(const Berths&) = delete;
    Berths& operator=(const Berths&) = delete;

    /// Whoever waits gets what is free now; where too many are taken, idle ones are called for.
    void set_bound(uint32_t bound);
    [[nodiscard]] uint32_t bound() const;
    [[nodiscard]] uint32_t taken() const;

    /// Empty where there is no room.
    [[nodiscard]] Berth take();
    /// Past the bound, where it must be.
    [[nodiscard]] Berth take_anyway();

    enum class Verdict : uint8_t {
        keep,        ///< nobody wants it: the party owes nothing any more
        close,       ///< its room is wanted
        handed_over  ///< to who waits
    };
    /// The party has something idle to give. `give_up` is called, under the lock, where somebody takes it
    /// over.
    template <class GiveUp>
    [[nodiscard]] Verdict offer(GiveUp give_up) {
        const std::lock_guard lock(mutex_);
        if (taken_ > bound_) return Verdict::close;
        if (wishes_.empty()) return Verdict::keep;
        if (!wishes_.front()->takes_used_) return Verdict::close;
        grant_first({.berth = {}, .connection = give_up()});
        return Verdict::handed_over;
    }
    /// The party has nothing idle. Returns whether it owes: whether it has to offer what becomes idle.
    [[nodiscard]] bool has_none();

  private:
    friend class Berth;
    friend class BerthParty;
    friend class BerthWish;

    void join(BerthParty&);
    void leave(BerthParty&);
    void add(BerthWish&);
    [[nodiscard]] BerthWish::Granted withdraw(BerthWish&);
    void give_back();

    // Under the lock.
    void grant();
    void grant_first(BerthWish::Granted);
    void ask();
    void ask_all();

    mutable std::mutex mutex_;
    uint32_t bound_;
    uint32_t taken_ = 0;
    std::deque<BerthWish*> wishes_;  ///< that were not granted yet, the oldest first
    std::vector<BerthParty*> parties_;
};

}  // namespace weir::proxy
