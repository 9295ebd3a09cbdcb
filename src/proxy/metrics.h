// What one worker counts. One place for the figures of a request: the one where its access-log line is
// written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "http/reason.h"
#include "policy/flood_guard.h"
#include "proxy/access_record.h"
#include "proxy/arrival_figures.h"
#include "proxy/count.h"
#include "proxy/rules.h"

namespace weir::proxy {

/// Of the requests of one scope.
struct ScopeFigures {
    using ByReason = std::array<Count, http::kReasons>;

    explicit ScopeFigures(const Scope& scope);

    CodeCounts codes;
    Histogram duration;    ///< of the whole exchange
    Histogram upstream;    ///< of the app, where it was asked: its last try, with the connect
    Histogram queue_wait;  ///< for the slots of the caps, of those that came by them or waited
    ByReason refused{};    ///< by no rule of a name
    std::vector<ByReason> refused_by_rate;  ///< in the order of Scope::enforced
    std::vector<ByReason> refused_by_cap;   ///< in the order of Scope::caps
    std::vector<Count> shadow_refusals;     ///< in the order of Scope::shadowed, then of Scope::shadow_caps
};

/// Of one worker's connections to one server.
struct ServerFigures {
    Count idle;
    Count in_use;
    Count reused;  ///< leases of a connection that had carried a request before
    std::array<Count, http::kReasons> retries{};  ///< requests that it failed and that were sent again
};

/// What is counted of all that a worker does. A new one is an enumerator and a row of app/metrics_page.
enum class Total : uint8_t {
    begun,           ///< exchanges
    ended,           ///< and those that have
    races_repeated,  ///< a connection that was reused turned out to be closed by the app, and that was mended
    races_failed,    ///< and was not
    request_bytes,   ///< payload
    response_bytes,  ///< likewise
};
inline constexpr size_t kTotals = 6;
static_assert(static_cast<size_t>(Total::response_bytes) + 1 == kTotals);

struct Plan;
class Fleet;

/// Written by its worker alone; read by any thread. The rules outlive it.
class Metrics {
  public:
    Metrics(const Rules& rules, size_t servers);
    /// Another plan's figures go on in these, by the names of routes, rules and servers; those of names that
    /// are gone are gone. For the worker that writes both.
    void take_over(const Metrics& before, const Plan& was, const Plan& is);
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// An exchange has begun; note() ends it.
    void begin() { count(Total::begun); }
    void note(const Scope& scope, const AccessRecord& record);
    /// Of a request that began under another plan: `scope` is this one's of the same route.
    void note_late(const Scope& scope, AccessRecord record);
    /// A connection of HTTP/2 was ended for it.
    void note_flood(policy::Flood kind) { floods_[static_cast<size_t>(kind)].add(); }
    /// A connection that was reused turned out to be closed by the app.
    void note_race(bool is_repeated) { count(is_repeated ? Total::races_repeated : Total::races_failed); }

    [[nodiscard]] ServerFigures& server(size_t index) { return servers_[index]; }
    [[nodiscard]] const ServerFigures& server(size_t index) const { return servers_[index]; }
    [[nodiscard]] ArrivalFigures& arrivals() { return arrivals_; }
    [[nodiscard]] const ArrivalFigures& arrivals() const { return arrivals_; }
    [[nodiscard]] const ScopeFigures& scope(size_t number) const { return scopes_[number]; }

    [[nodiscard]] uint64_t total(Total which) const { return totals_[static_cast<size_t>(which)].read(); }
    [[nodiscard]] uint64_t floods(policy::Flood kind) const {
        return floods_[static_cast<size_t>(kind)].read();
    }

  private:
    void count(Total which, uint64_t more = 1) { totals_[static_cast<size_t>(which)].add(more); }
    void take_over_servers(const Metrics& before, const Fleet& was, const Fleet& is);

    // A deque, since a figure cannot be moved.
    std::deque<ScopeFigures> scopes_;  ///< by Scope::number
    std::vector<ServerFigures> servers_;
    ArrivalFigures arrivals_;
    std::array<Count, kTotals> totals_{};
    std::array<Count, policy::kFloods> floods_{};
};

}  // namespace weir::proxy
