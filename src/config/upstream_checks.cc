#include "config/upstream_checks.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "base/endpoint.h"
#include "config/draft.h"
#include "config/text.h"
#include "config/units.h"

namespace weir::config {
namespace {

class Checks {
  public:
    explicit Checks(Findings& findings) : findings_(findings), settings_(findings.settings()) {}

    void run() {
        pool();
        twins();
        caps();
        hold();
        tls();
        pace();
        ejection();
        idle_keys();
    }

  private:
    void pool() {
        const Pool& pool = settings_.upstream.pool;
        if (!are_sound({"upstream.pool.min_idle", "upstream.pool.max_idle"}) ||
            pool.min_idle <= pool.max_idle)
            return;
        at_later("upstream.pool.min_idle", "upstream.pool.max_idle", Severity::error,
                 {fmt::format("`upstream.pool.min_idle` ({}) is above `upstream.pool.max_idle` ({})",
                              pool.min_idle, pool.max_idle),
                  "raise `upstream.pool.max_idle` or lower `upstream.pool.min_idle`"});
    }

    /// Taken out and put back apart from each other, the two would say different things of one server.
    void twins() {
        if (!are_sound({"upstream.servers"})) return;
        const std::vector<Server>& all = settings_.upstream.servers;
        for (size_t i = 1; i < all.size(); ++i) {
            const auto end = all.begin() + static_cast<ptrdiff_t>(i);
            const auto is_same = [&](const Server& other) { return other.address == all[i].address; };
            if (std::none_of(all.begin(), end, is_same)) continue;
            const Spot spot = Spot("upstream.servers")[i];
            findings_.warning(
                spot,
                fmt::format("{}: {} is given twice", findings_.name(spot), quoted(to_string(all[i].address))),
                "give it once, with a `weight`");
        }
    }

    void caps() {
        const std::optional<size_t>& cap = settings_.limits.concurrency;
        if (!cap || !are_sound({"upstream.servers", "limits.concurrency"})) return;
        size_t room = 0;
        for (const Server& server : settings_.upstream.servers) {
            if (!server.max_in_flight) return;
            room += *server.max_in_flight;
        }
        if (*cap <= room) return;
        at("limits.concurrency", Severity::warning,
           {fmt::format("`limits.concurrency` ({}) is above what the servers take together ({})", *cap, room),
            fmt::format("set it to at most {}", room)});
    }

    /// The total is what ends such a wait, and then the client is told of the deadline, not of the app.
    void hold() {
        const Duration hold = settings_.upstream.hold;
        const Duration total = settings_.timeout.total;
        if (!are_sound({"upstream.hold", "timeout.total"}) || !is_written("upstream.hold") || hold <= total)
            return;
        at("upstream.hold", Severity::warning,
           {fmt::format("`upstream.hold` ({}) is above `timeout.total` ({}) and never reached",
                        format_duration(hold), format_duration(total)),
            {}});
    }

    void tls() {
        if (!are_sound({"upstream.servers"})) return;
        const std::vector<Server>& servers = settings_.upstream.servers;
        const bool is_used =
            std::any_of(servers.begin(), servers.end(), [](const Server& server) { return server.is_tls; });
        const UpstreamTls& tls = settings_.upstream.tls;
        constexpr std::string_view kNone = "no server has https://";
        if (!is_used && !servers.empty()) {
            if (!tls.ca.empty()) has_no_effect("upstream.tls.ca", kNone);
            if (!tls.verify) has_no_effect("upstream.tls.verify", kNone);
            if (!tls.server_name.empty()) has_no_effect("upstream.tls.server_name", kNone);
        }
        if (!is_used || tls.verify || !are_sound({"upstream.tls.verify"})) return;
        at("upstream.tls.verify", Severity::warning,
           {"`upstream.tls.verify` is false: whoever is between weir and the app can read and change "
            "everything",
            "name the app's certificates with `upstream.tls.ca`"});
        if (!tls.ca.empty()) has_no_effect("upstream.tls.ca", "nothing is verified");
    }

    /// Checks of one server never overlap, so this is a risk and no contradiction: while the app hangs, it is
    /// found out later than the interval promises.
    void pace() {
        const Health& health = settings_.health;
        const bool is_asked = !health.path.empty() && are_sound({"health.timeout", "health.interval"});
        if (!is_asked || health.timeout <= health.interval) return;
        at_later("health.timeout", "health.interval", Severity::warning,
                 {fmt::format("`health.timeout` ({}) is above `health.interval` ({}): a check that hangs "
                              "delays the next",
                              format_duration(health.timeout), format_duration(health.interval)),
                  fmt::format("set `health.timeout` to at most {}", format_duration(health.interval))});
    }

    void ejection() {
        const Passive& passive = settings_.health.passive;
        constexpr std::string_view kFirst = "health.passive.eject";
        constexpr std::string_view kLongest = "health.passive.max_eject";
        if (!are_sound({kFirst, kLongest}) || passive.eject <= passive.max_eject) return;
        at_later(kLongest, kFirst, Severity::error,
                 {fmt::format("`{}` ({}) is below `{}` ({})", kLongest, format_duration(passive.max_eject),
                              kFirst, format_duration(passive.eject)),
                  fmt::format("raise `{}` or lower `{}`", kLongest, kFirst)});
    }

    /// A key at its default says nothing, even where it is written.
    void idle_keys() {
        const Draft untouched;
        const Health& usual = untouched.settings.health;
        const Health& health = settings_.health;
        const bool is_asked = !health.path.empty() || !are_sound({"health", "health.path"});
        const std::initializer_list<std::pair<std::string_view, bool>> of_checks = {
            {"health.interval", health.interval != usual.interval},
            {"health.timeout", health.timeout != usual.timeout},
            {"health.rise", health.rise != usual.rise},
            {"health.fall", health.fall != usual.fall},
            {"health.expect.status", health.expect.statuses != usual.expect.statuses},
            {"health.expect.body", health.expect.body != usual.expect.body}};
        for (const auto& [key, differs] : of_checks) {
            if (!is_asked && differs) has_no_effect(key, "`health.path` is not set");
        }
        const Passive& passive = health.passive;
        const bool ejects = passive.failures || !are_sound({"health.passive.failures"});
        const std::initializer_list<std::pair<std::string_view, bool>> of_ejection = {
            {"health.passive.window", passive.window != usual.passive.window},
            {"health.passive.eject", passive.eject != usual.passive.eject},
            {"health.passive.max_eject", passive.max_eject != usual.passive.max_eject}};
        for (const auto& [key, differs] : of_ejection) {
            if (!ejects && differs) has_no_effect(key, "`health.passive.failures` is off");
        }
    }

    void has_no_effect(std::string_view key, std::string_view why) {
        if (!are_sound({key})) return;
        at(key, Severity::warning, {fmt::format("`{}` has no effect: {}", key, why), {}});
    }

    [[nodiscard]] bool are_sound(std::initializer_list<std::string_view> paths) const {
        return findings_.are_sound(paths);
    }

    [[nodiscard]] bool is_written(std::string_view path) const { return findings_.is_written(Spot(path)); }

    void at(std::string_view path, Severity severity, Wrong wrong) {
        findings_.report(severity, Spot(path), std::move(wrong));
    }

    /// Points at `path`, or at `other` where `path` has its default and so cannot be the mistake.
    void at_later(std::string_view path, std::string_view other, Severity severity, Wrong wrong) {
        at(is_written(path) ? path : other, severity, std::move(wrong));
    }

    Findings& findings_;
    const Settings& settings_;
};

}  // namespace

void check_upstream(Findings& findings) { Checks(findings).run(); }

}  // namespace weir::config
