#include "policy/rate_rule.h"

#include <algorithm>
#include <cassert>
#include <functional>

namespace weir::policy {

RateRule::Table RateRule::make_table(const Limit& limit, size_t keys) {
    if (limit.burst) {
        return Table(std::in_place_type<CellTable<TokenBucket>>, TokenBucket(limit.rate, *limit.burst), keys);
    }
    if (limit.rate.count <= FineWindow::kMostLimit) {
        return Table(std::in_place_type<CellTable<FineWindow>>, FineWindow(limit.rate), keys);
    }
    if (limit.rate.count <= Window::kMostLimit) {
        return Table(std::in_place_type<CellTable<Window>>, Window(limit.rate), keys);
    }
    return Table(std::in_place_type<CellTable<WideWindow>>, WideWindow(limit.rate), keys);
}

size_t RateRule::keys() const {
    return std::visit([](const auto& table) { return table.capacity(); }, table_);
}

CellTableFigures RateRule::figures() {
    return std::visit([](auto& table) { return table.figures(); }, table_);
}

size_t RateRule::memory_bytes() const {
    return std::visit([](const auto& table) { return table.memory_bytes(); }, table_);
}

RateHold::RateHold(std::span<const RateAsk> asks, Time now) : asks_(asks), refusing_(asks.size()) {
    assert(asks.size() <= kMostRules);
    sort_by_address();
    for (size_t i = 0; i < asks_.size(); ++i) {
        const size_t ask = order_[i];
        std::visit(
            [&](auto& table) {
                looks_[ask].place = table.lock(asks_[ask].key, now);
                looks_[ask].admit_at = table.admit_at(looks_[ask].place, asks_[ask].cost).time_since_epoch();
            },
            asks_[ask].rule->table_);
    }
    for (size_t ask = 0; ask < asks_.size(); ++ask) {
        if (admits(ask)) continue;
        if (admits() || admit_at(ask) > retry_at()) refusing_ = ask;
    }
}

RateHold::~RateHold() {
    for (size_t ask = 0; ask < asks_.size(); ++ask) {
        std::visit([&](auto& table) { table.unlock(looks_[ask].place); }, asks_[ask].rule->table_);
    }
}

/// By insertion: there are few, and mostly they come sorted.
void RateHold::sort_by_address() {
    const auto is_before = [&](size_t a, size_t b) { return std::less<>{}(asks_[a].rule, asks_[b].rule); };
    for (size_t i = 0; i < asks_.size(); ++i) {
        size_t at = i;
        for (; at > 0 && is_before(i, order_[at - 1]); --at) order_[at] = order_[at - 1];
        order_[at] = static_cast<uint8_t>(i);
    }
}

Quota RateHold::quota(size_t ask) {
    return std::visit([&](auto& table) { return table.quota(looks_[ask].place); }, asks_[ask].rule->table_);
}

void RateHold::charge() {
    assert(admits());
    for (size_t ask = 0; ask < asks_.size(); ++ask) {
        std::visit([&](auto& table) { table.charge(looks_[ask].place, asks_[ask].cost); },
                   asks_[ask].rule->table_);
    }
}

}  // namespace weir::policy
