#include "config/limit_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/identity.h"
#include "config/quota.h"
#include "config/text.h"
#include "config/units.h"

namespace weir::config {
namespace {

/// A rule and where it is written.
struct Written {
    const Rate* rate;
    Spot spot;
};

std::vector<Written> sound_rules(const Findings& findings, const std::vector<Rate>& rates, const Spot& list) {
    std::vector<Written> sound;
    for (size_t i = 0; i < rates.size(); ++i) {
        if (findings.is_sound(list[i])) sound.push_back({&rates[i], list[i]});
    }
    return sound;
}

std::string shown(const Findings& findings, const Written& rule) {
    return fmt::format("{} ({})", findings.name(rule.spot), format_quota(rule.rate->quota));
}

void check_key(Findings& findings, const Key& key, const Spot& spot) {
    const bool has_all = std::any_of(key.begin(), key.end(),
                                     [](const KeyPart& part) { return part.kind == KeyPart::Kind::all; });
    if (has_all && key.size() > 1) {
        findings.error(
            spot,
            fmt::format("{} has `all` beside others, which then tell nobody apart", findings.name(spot)),
            "leave `all` out, or let it stand alone");
        return;
    }
    for (size_t i = 1; i < key.size(); ++i) {
        const bool is_again = std::find(key.begin(), key.begin() + static_cast<ptrdiff_t>(i), key[i]) !=
                              key.begin() + static_cast<ptrdiff_t>(i);
        if (is_again) {
            findings.error(
                spot[i],
                fmt::format("{}: {} is given twice", findings.name(spot[i]), quoted(format_key({key[i]}))),
                "remove one");
        }
    }
}

/// The largest bucket that fills within the longest window. In milliseconds nothing overflows.
uint64_t most_burst(const Quota& quota) {
    const auto milliseconds = [](Duration duration) {
        return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
    };
    return milliseconds(kLongestWindow) * quota.limit / milliseconds(quota.window);
}

void check_rate(Findings& findings, const Written& rule) {
    const Rate& rate = *rule.rate;
    check_key(findings, rate.key, rule.spot / "key");
    const uint64_t most = rate.burst ? most_burst(rate.quota) : 0;
    if (rate.burst && *rate.burst > most) {
        findings.error(rule.spot / "burst",
                       fmt::format("{} ({}) takes longer than 31d to fill at {}",
                                   findings.name(rule.spot / "burst"), *rate.burst, format_quota(rate.quota)),
                       most == 0 ? std::string("raise the rate") : fmt::format("allowed: at most {}", most));
        return;
    }
    const uint32_t room = rate.burst.value_or(rate.quota.limit);
    if (rate.cost <= room) return;
    findings.error(rule.spot / "cost",
                   fmt::format("{} ({}) is above {} ({}): no request could ever be admitted",
                               findings.name(rule.spot / "cost"), rate.cost,
                               rate.burst ? "the burst" : "the limit", room),
                   fmt::format("set it to at most {}", room));
}

void report_same_name(Findings& findings, const Written& rule, const Written& first) {
    findings.error(rule.spot,
                   fmt::format("{} has the name {} of {}", shown(findings, rule), quoted(rule.rate->name),
                               shown(findings, first)),
                   "give one of them another `name`");
}

void check_names(Findings& findings, const std::vector<Written>& rules) {
    for (size_t i = 1; i < rules.size(); ++i) {
        const auto is_same = [&](const Written& other) { return other.rate->name == rules[i].rate->name; };
        const auto end = rules.begin() + static_cast<ptrdiff_t>(i);
        const auto first = std::find_if(rules.begin(), end, is_same);
        if (first != end) report_same_name(findings, rules[i], *first);
    }
}

bool count_alike(const Rate& a, const Rate& b) { return a.key == b.key && a.cost == b.cost; }

/// For rules that hold beside `others`, which have been compared among themselves.
void check_names_beside(Findings& findings, const std::vector<Written>& others,
                        const std::vector<Written>& rules) {
    for (const Written& rule : rules) {
        const auto twin = std::find_if(others.begin(), others.end(), [&](const Written& other) {
            return other.rate->name == rule.rate->name;
        });
        if (twin != others.end()) report_same_name(findings, rule, *twin);
    }
}

/// Whether `longer` runs out before `shorter` can, whatever clients do.
bool runs_out_first(const Rate& longer, const Rate& shorter) {
    return longer.mode == Mode::enforce && shorter.mode != Mode::off && !longer.burst && !shorter.burst &&
           count_alike(longer, shorter) && longer.quota.window > shorter.quota.window &&
           longer.quota.limit <= shorter.quota.limit;
}

void check_reach(Findings& findings, const std::vector<Written>& rules) {
    for (const Written& shorter : rules) {
        const auto longer = std::find_if(rules.begin(), rules.end(), [&](const Written& other) {
            return runs_out_first(*other.rate, *shorter.rate);
        });
        if (longer == rules.end()) continue;
        findings.warning(shorter.spot, fmt::format("{} is never reached: {} runs out first",
                                                   shown(findings, shorter), shown(findings, *longer)));
    }
}

/// Whether `shadow` refuses nothing that `enforced` lets pass.
bool is_no_tighter(const Rate& shadow, const Rate& enforced) {
    return shadow.mode == Mode::shadow && enforced.mode == Mode::enforce && count_alike(shadow, enforced) &&
           shadow.quota.window == enforced.quota.window && shadow.quota.limit >= enforced.quota.limit &&
           shadow.burst.has_value() == enforced.burst.has_value() && shadow.burst >= enforced.burst;
}

void check_shadows(Findings& findings, const std::vector<Written>& shadows,
                   const std::vector<Written>& rules) {
    for (const Written& shadow : shadows) {
        const auto twin = std::find_if(rules.begin(), rules.end(), [&](const Written& other) {
            return is_no_tighter(*shadow.rate, *other.rate);
        });
        if (twin == rules.end()) continue;
        findings.warning(
            shadow.spot,
            fmt::format("{} is no tighter than {}, which is enforced: it would refuse nothing more",
                        shown(findings, shadow), shown(findings, *twin)));
    }
}

void check_cap(Findings& findings, const ScopeLimits& limits, const Spot& spot) {
    const Spot size = spot / "queue" / "size";
    const Spot cap = spot / "concurrency";
    if (!findings.is_sound(size) || !findings.is_sound(cap)) return;
    if (limits.queue.size.value == 0 || limits.concurrency) return;
    findings.error(size,
                   fmt::format("{} ({}) needs {}: without a cap nobody waits", findings.name(size),
                               limits.queue.size.value, findings.name(cap)),
                   fmt::format("set {}", findings.name(cap)));
}

void check_each(Findings& findings, const ScopeLimits& limits, const Spot& spot) {
    const Spot each = spot / "per_client_concurrency";
    const Spot cap = spot / "concurrency";
    const Spot size = spot / "queue" / "size";
    const bool are_sound = findings.is_sound(each) && findings.is_sound(cap) && findings.is_sound(size);
    if (!are_sound || !limits.per_client_concurrency || !findings.is_written(each)) return;
    const std::string shown = fmt::format("{} ({})", findings.name(each), *limits.per_client_concurrency);
    if (limits.concurrency && *limits.per_client_concurrency > *limits.concurrency) {
        findings.error(each,
                       fmt::format("{} is above {} ({})", shown, findings.name(cap), *limits.concurrency),
                       fmt::format("set it to at most {}", *limits.concurrency));
    } else if (limits.queue.size.value == 0) {
        findings.warning(
            each,
            fmt::format("{} has no queue beside it: what is above it is refused and cannot wait", shown),
            fmt::format("set {}", findings.name(size)));
    }
}

void check_wait(Findings& findings, const ScopeLimits& limits, const Spot& spot, Duration total) {
    const Spot wait = spot / "queue" / "wait";
    if (!findings.is_sound(wait) || !findings.is_written(wait) || limits.queue.wait.value <= total) return;
    findings.warning(wait,
                     fmt::format("{} ({}) is above the total of {} and never reached", findings.name(wait),
                                 format_duration(limits.queue.wait), format_duration(total)));
}

void check_clients(Findings& findings) {
    const Clients& clients = findings.settings().clients;
    if (findings.are_sound({"clients.key"})) check_key(findings, clients.key, Spot("clients.key"));
    for (size_t i = 0; i < clients.trusted_proxies.size(); ++i) {
        const Spot spot = Spot("clients.trusted_proxies")[i];
        if (!findings.is_sound(spot) || !is_everyone(clients.trusted_proxies[i])) continue;
        findings.warning(
            spot,
            fmt::format("{} trusts everyone: any client can say that it is another one", findings.name(spot)),
            "list the addresses of your proxies");
    }
}

}  // namespace

void check_scope(Findings& findings, const ScopeLimits& limits, const Spot& spot, Duration total) {
    const std::vector<Written> rules = sound_rules(findings, limits.rates, spot / "rate");
    for (const Written& rule : rules) check_rate(findings, rule);
    check_names(findings, rules);
    check_reach(findings, rules);
    check_shadows(findings, rules, rules);
    check_cap(findings, limits, spot);
    check_each(findings, limits, spot);
    check_wait(findings, limits, spot, total);
}

void check_limits(Findings& findings) {
    const Settings& settings = findings.settings();
    check_clients(findings);
    check_scope(findings, settings.limits, Spot("limits"), settings.timeout.total);
    const std::vector<Written> rules = sound_rules(findings, settings.limits.rates, Spot("limits.rate"));
    const std::vector<Written> shadows = sound_rules(findings, settings.shadow, Spot("shadow"));
    for (const Written& shadow : shadows) check_rate(findings, shadow);
    std::vector<Written> all = rules;
    all.insert(all.end(), shadows.begin(), shadows.end());
    check_names(findings, all);
    check_shadows(findings, shadows, rules);
    for (size_t i = 0; i < settings.routes.size(); ++i) {
        const Spot spot = Spot("routes")[i];
        if (!findings.is_sound(spot)) continue;
        const std::vector<Rate>& own = settings.routes[i].limits.rates;
        check_names_beside(findings, all, sound_rules(findings, own, spot / "limits" / "rate"));
    }
}

}  // namespace weir::config
