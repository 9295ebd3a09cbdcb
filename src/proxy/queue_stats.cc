#include "proxy/queue_stats.h"

#include <cstdint>
#include <string_view>

namespace weir::proxy {

namespace {

struct Totals {
    uint64_t slots = 0;
    uint64_t in_service = 0;
    uint64_t waiting = 0;
    uint64_t completed = 0;
    uint64_t peak_waiting = 0;

    void add(const policy::ConcurrencyFigures& figures) {
        slots += figures.slots;
        in_service += figures.in_service;
        waiting += figures.waiting;
        completed += figures.completed;
        peak_waiting += figures.peak_waiting;
    }
};

Totals totals_of(const Rules& rules) {
    Totals totals;
    const Scope& everywhere = rules.scope_of(nullptr);
    if (!everywhere.caps.empty()) {
        totals.add(everywhere.caps.front().gate->group->figures());
    } else {
        for (const auto& gate : rules.caps()) totals.add(gate->group->figures());
    }
    return totals;
}

void member(std::string& out, std::string_view name, uint64_t value) {
    out += out.empty() ? "{\"" : ",\"";
    out += name;
    out += "\":";
    out += std::to_string(value);
}

}  // namespace

void write_queue_stats(const Rules& rules, std::string& out) {
    const Totals totals = totals_of(rules);
    out.clear();
    member(out, "activeProcesses", totals.in_service);
    member(out, "queuedTasks", totals.waiting);
    member(out, "totalProcessed", totals.completed);
    member(out, "peakQueueSize", totals.peak_waiting);
    member(out, "utilizationPercent", totals.slots == 0 ? 0 : totals.in_service * 100 / totals.slots);
    out += "}\n";
}

}  // namespace weir::proxy
