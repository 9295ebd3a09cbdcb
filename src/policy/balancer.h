// Which server takes the next request. Pure: what is known of the servers in, an index out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"

namespace weir::policy {

/// One server as it stands when a request looks for one.
struct Candidate {
    static constexpr uint32_t kFullShare = 256;

    enum class Standing : uint8_t {
        in,       ///< up, not known to be anything else, or out and due to be tried by this request
        suspect,  ///< refused a connection a moment ago: taken where no other can be
        out,      ///< down or ejected: not taken
    };
    Standing standing = Standing::in;
    bool is_tried = false;   ///< by this request, and failed
    uint32_t in_flight = 0;  ///< requests inside it, of all workers
    uint32_t cap = UINT32_MAX;
    uint32_t weight = 1;          ///< as configured, 1 to 1000
    uint32_t share = kFullShare;  ///< of its weight, at least 1: see slow_start_share()

    [[nodiscard]] bool is_full() const { return in_flight >= cap; }
    [[nodiscard]] uint64_t weight_now() const { return uint64_t{weight} * share; }
};

struct Choice {
    enum class Kind : uint8_t {
        server,
        all_full,  ///< there are some to take, and each is at its cap: wait for an answer
        all_out,   ///< there is none to take: hold the request until one is back
    };
    Kind kind = Kind::all_out;
    size_t server = 0;  ///< with `server`

    bool operator==(const Choice&) const = default;
};

/// One for each worker and group of servers; thread: its worker's. Several workers begin their rotation at
/// different servers, and know of each other by `in_flight` alone.
///
/// The best of four classes is chosen from, in this order: not tried by the request before tried, and within
/// that `in` before `suspect`. A server at its cap is passed over; so a retry goes to another server where
/// there is one with room, and back to the same one where there is none.
///
/// least_in_flight: the fewest requests for its weight; among equals at random, by weight, so that idle
///   servers are asked in the ratio of their weights.
/// round_robin: smooth and weighted, as nginx does it: with weights 3 and 1 the order is a a b a. Each server
///   gains its weight each time; the one that has most is chosen, and pays what all have gained.
class Balancer {
  public:
    /// `random`: any value; where the rotation begins.
    Balancer(config::Balance balance, size_t servers, uint64_t random);

    /// `candidates`: one for each server, always in the same order. `random`: any value, evenly distributed.
    [[nodiscard]] Choice choose(std::span<const Candidate> candidates, uint64_t random);

  private:
    [[nodiscard]] size_t least_in_flight(std::span<const Candidate>, unsigned best, uint64_t random) const;
    [[nodiscard]] size_t next_in_turn(std::span<const Candidate>, unsigned best);

    config::Balance balance_;
    size_t first_;
    std::vector<int64_t> gained_;  ///< of each server, by smooth weighted round-robin; the sum is zero
};

/// The share of a server that came back `since` ago: from a tenth at first to all of it at the end of
/// `slow_start`, in proportion to the time. All of it without a slow start.
[[nodiscard]] uint32_t slow_start_share(Duration since, std::optional<Duration> slow_start);

}  // namespace weir::policy
