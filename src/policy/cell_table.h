// The state of one rule for every client it remembers: one cell a key, in memory of fixed size.
//
// Nobody shakes his state off. For every key x, in the table or not, this holds: what x was admitted for and
// still counts against its limit is at most what the cell that answers for x is charged with, now and at
// every later instant. A key in the table has a cell of its own. All others of a shard (strangers) share one:
// the residue. Where a stranger is charged
//
//   1. and a slot is free, or its entry has expired: the stranger gets it, with a copy of the residue as its
//      cell. Where the shard has no such entry left, others are asked for theirs, unless they are busy.
//   2. Else the next entries are looked at, and the one nearest to its full quota is let go where it is
//      charged with less than the residue would be if it took the stranger's charge itself. The residue is
//      raised to cover that entry (each Meter has such an upper bound); the stranger gets the slot, with a
//      copy of what the residue was before.
//   3. Else the stranger is charged to the residue, and stays one.
//
// The invariant survives each case, in the second for the key that lost its slot too. So no limit is ever
// exceeded, whatever a flood of new keys does; it can only make strangers share. The residue grows no faster
// by case 2 than by case 3, and an entry with nothing left never loses its slot: it is charged with the whole
// limit, and no admission takes the residue above that. The residue expires as any cell does; mostly it is
// empty. In a table with room for all keys in use none of this shows.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "policy/cell_index.h"
#include "policy/quota.h"

namespace weir::policy {

/// One key's place in a table while its shard is locked. Not initialised: an array of them costs nothing.
struct CellPlace {
    uint64_t key;
    uint32_t slot;         ///< CellIndex::kNone: a stranger
    Duration since_epoch;  ///< never earlier than that of another place of the shard before it

    [[nodiscard]] Time now() const { return Time{since_epoch}; }
};
static_assert(std::is_trivial_v<CellPlace>);

struct CellTableFigures {
    size_t size = 0;         ///< keys remembered
    uint64_t evictions = 0;  ///< entries that lost their slot before they expired (case 2)
    uint64_t shared = 0;     ///< charges to a residue (case 3)
};

/// Meter: SlidingWindow or TokenBucket. Thread-safe: each key's shard is locked from lock() to unlock(). A
/// thread locks at most one place of a table at a time. No call allocates.
template <class Meter>
class CellTable {
  public:
    using Cell = typename Meter::Cell;
    static_assert(std::is_trivial_v<Cell>, "memory is touched as slots are first taken");

    CellTable(const Meter& meter, size_t capacity)
        : meter_(meter),
          index_(capacity),
          cells_(std::make_unique_for_overwrite<Cell[]>(index_.capacity())),
          shards_(index_.shards()) {}

    [[nodiscard]] CellPlace lock(uint64_t key, Time now);
    void unlock(const CellPlace& place) { shard_of(place).mutex.unlock(); }

    /// See the Meter. Between lock() and unlock() the answer holds.
    [[nodiscard]] Time admit_at(const CellPlace& place, uint32_t cost) {
        return meter_.admit_at(cell_of(place), place.now(), cost);
    }
    [[nodiscard]] Quota quota(const CellPlace& place) { return meter_.quota(cell_of(place), place.now()); }
    /// Only where admit_at is the place's now.
    void charge(CellPlace& place, uint32_t cost);

    [[nodiscard]] CellTableFigures figures();
    [[nodiscard]] size_t capacity() const { return index_.capacity(); }
    [[nodiscard]] size_t memory_bytes() const {
        return sizeof *this - sizeof index_ + index_.memory_bytes() + capacity() * sizeof(Cell) +
               shards_.size() * sizeof(Shard);
    }

  private:
    // A stranger pays for the expired: few are looked at while there is room, more where one has to go.
    static constexpr size_t kGlance = 2;
    static constexpr size_t kSurvey = 16;
    static constexpr size_t kNeighbours = 2;

    struct alignas(64) Shard {
        std::mutex mutex;
        uint32_t hand = 0;       ///< the bucket to look at next for entries that may go
        uint32_t neighbour = 0;  ///< the shard to ask next, counted from this one
        Time latest = Time::min();
        Cell residue{};
        uint64_t evictions = 0;
        uint64_t shared = 0;
    };
    struct Candidate {
        uint32_t slot = CellIndex::kNone;
        uint32_t used = std::numeric_limits<uint32_t>::max();
    };

    [[nodiscard]] Shard& shard_of(const CellPlace& place) { return shards_[index_.shard_of(place.key)]; }
    [[nodiscard]] Cell& cell_of(const CellPlace& place) {
        return place.slot == CellIndex::kNone ? shard_of(place).residue : cells_[place.slot];
    }
    uint32_t slot_for_stranger(Shard&, const CellPlace&, uint32_t cost);
    Candidate survey(uint32_t shard, Time now, size_t entries);
    uint32_t slot_from_elsewhere(Shard&, const CellPlace&);

    Meter meter_;
    CellIndex index_;
    std::unique_ptr<Cell[]> cells_;
    std::vector<Shard> shards_;
};

template <class Meter>
inline CellPlace CellTable<Meter>::lock(uint64_t key, Time now) {
    Shard& shard = shards_[index_.shard_of(key)];
    shard.mutex.lock();
    shard.latest = std::max(shard.latest, now);
    const CellPlace place{key, index_.find(key), shard.latest.time_since_epoch()};
    meter_.settle(cell_of(place), place.now());
    return place;
}

template <class Meter>
inline void CellTable<Meter>::charge(CellPlace& place, uint32_t cost) {
    assert(admit_at(place, cost) == place.now());
    if (place.slot == CellIndex::kNone) {
        Shard& shard = shard_of(place);
        const Cell before = shard.residue;
        place.slot = slot_for_stranger(shard, place, cost);
        if (place.slot == CellIndex::kNone) {
            ++shard.shared;
        } else {
            cells_[place.slot] = before;
        }
    }
    meter_.charge(cell_of(place), place.now(), cost);
}

template <class Meter>
uint32_t CellTable<Meter>::slot_for_stranger(Shard& shard, const CellPlace& place, uint32_t cost) {
    const bool full = index_.size() == index_.capacity();
    const Candidate candidate = survey(index_.shard_of(place.key), place.now(), full ? kSurvey : kGlance);
    uint32_t slot = index_.insert(place.key);
    if (slot == CellIndex::kNone) slot = slot_from_elsewhere(shard, place);
    if (slot != CellIndex::kNone || candidate.slot == CellIndex::kNone) return slot;
    if (candidate.used >= uint64_t{meter_.used(shard.residue, place.now())} + cost) return CellIndex::kNone;
    meter_.cover(shard.residue, cells_[candidate.slot], place.now());
    index_.rename(candidate.slot, place.key);
    ++shard.evictions;
    return candidate.slot;
}

/// Slots belong to no shard: one may hold all of them while another, which has none, is asked. A neighbour
/// that is locked is left alone, so that nobody waits for two locks.
template <class Meter>
uint32_t CellTable<Meter>::slot_from_elsewhere(Shard& shard, const CellPlace& place) {
    const uint32_t own = index_.shard_of(place.key);
    const auto count = static_cast<uint32_t>(shards_.size());
    for (size_t tried = 0; tried < std::min<size_t>(kNeighbours, count - 1); ++tried) {
        shard.neighbour = shard.neighbour % (count - 1) + 1;
        const uint32_t other = (own + shard.neighbour) % count;
        const std::unique_lock hold(shards_[other].mutex, std::try_to_lock);
        if (!hold) continue;
        shards_[other].latest = std::max(shards_[other].latest, place.now());
        survey(other, shards_[other].latest, kSurvey);
        const uint32_t slot = index_.insert(place.key);
        if (slot != CellIndex::kNone) return slot;
    }
    return CellIndex::kNone;
}

/// Looks at the entries next in turn, lets go of those that have expired, and names the least used of the
/// others. The shard is locked.
template <class Meter>
auto CellTable<Meter>::survey(uint32_t number, Time now, size_t entries) -> Candidate {
    Shard& shard = shards_[number];
    Candidate least;
    const size_t buckets = std::min<size_t>(index_.buckets_per_shard(), 2 * entries);
    for (size_t i = 0; i < buckets && entries > 0; ++i) {
        const uint32_t bucket = std::exchange(shard.hand, (shard.hand + 1) % index_.buckets_per_shard());
        uint32_t slot = index_.first(number, bucket);
        while (slot != CellIndex::kNone) {
            const uint32_t following = index_.next(slot);
            meter_.settle(cells_[slot], now);
            const uint32_t used = meter_.used(cells_[slot], now);
            if (used == 0) index_.erase(slot);
            if (used != 0 && used < least.used) least = {slot, used};
            entries -= entries > 0 ? 1 : 0;
            slot = following;
        }
    }
    return least;
}

/// Consistent a shard.
template <class Meter>
CellTableFigures CellTable<Meter>::figures() {
    CellTableFigures figures{.size = index_.size()};
    for (Shard& shard : shards_) {
        const std::lock_guard hold(shard.mutex);
        figures.evictions += shard.evictions;
        figures.shared += shard.shared;
    }
    return figures;
}

}  // namespace weir::policy
