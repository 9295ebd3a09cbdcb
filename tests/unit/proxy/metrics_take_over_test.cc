#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "proxy/limited_settings.h"
#include "proxy/metrics.h"
#include "proxy/plan.h"

using namespace std::chrono_literals;

namespace weir::proxy {

namespace {

/// A plan, and the figures of a worker that goes by it.
struct Counting {
    explicit Counting(const config::Settings& settings)
        : plan(std::make_unique<Plan>(settings, Surroundings{.seed = HashSeed{1, 2}})),
          metrics(std::make_unique<Metrics>(plan->rules, plan->fleet->size())) {}

    /// As after a reload.
    [[nodiscard]] Counting followed_by(const config::Settings& settings) const {
        Counting next(settings);
        next.metrics->take_over(*metrics, *plan, *next.plan);
        return next;
    }
    [[nodiscard]] const Scope& scope(size_t number) const { return plan->rules.scopes()[number]; }

    std::unique_ptr<Plan> plan;
    std::unique_ptr<Metrics> metrics;
};

AccessRecord refused_by(std::string_view rule, http::Reason reason) {
    AccessRecord record;
    record.status = http::text_of(reason).status;
    record.refusal = reason;
    record.rule = rule;
    record.total = 5ms;
    record.slot_wait = 2ms;
    record.upstream = 4ms;
    record.request_bytes = 3;
    record.response_bytes = 70;
    return record;
}

/// Something of everything, another number of each.
void count_everything(Counting& counting) {
    Metrics& metrics = *counting.metrics;
    for (int times = 0; times < 12; ++times) metrics.begin();
    const Scope& everywhere = counting.scope(0);
    for (int times = 0; times < 3; ++times)
        metrics.note(everywhere, refused_by("per-min", http::Reason::rate_limited));
    AccessRecord shadowed;
    shadowed.status = 200;
    shadowed.shadow_names = everywhere.shadow_names;
    shadowed.shadow_refusals.set(1);
    metrics.note(everywhere, shadowed);
    for (int times = 0; times < 2; ++times)
        metrics.note(counting.scope(1), refused_by("reports-concurrency", http::Reason::queue_full));
    metrics.note(counting.scope(1), refused_by("", http::Reason::deadline));
    for (size_t kind = 0; kind < policy::kFloods; ++kind)
        for (size_t times = 0; times <= kind; ++times) metrics.note_flood(static_cast<policy::Flood>(kind));
    metrics.note_race(true);
    metrics.note_race(false);
    metrics.note_race(false);
    for (size_t server = 0; server < counting.plan->fleet->size(); ++server) {
        metrics.server(server).reused.add(5 + server);
        metrics.server(server).retries[0].add(7 + server);
        metrics.server(server).idle.add(1);
    }
    metrics.arrivals().full_handshakes.add(11);
    metrics.arrivals().resumed_handshakes.add(12);
    metrics.arrivals().failed_handshakes[2].add(13);
    metrics.arrivals().refused_headers[1].add(14);
}

void add_all(const ScopeFigures::ByReason& counts, std::vector<uint64_t>& all) {
    for (const Count& count : counts) all.push_back(count.read());
}

void add_all(const ScopeFigures& figures, std::vector<uint64_t>& all) {
    for (uint16_t code = CodeCounts::kLeast; code <= CodeCounts::kMost; ++code)
        all.push_back(figures.codes.read(code));
    for (const Histogram* each : {&figures.duration, &figures.upstream, &figures.queue_wait}) {
        all.push_back(each->read().count());
        all.push_back(each->read().nanoseconds);
    }
    add_all(figures.refused, all);
    for (const auto& each : figures.refused_by_rate) add_all(each, all);
    for (const auto& each : figures.refused_by_cap) add_all(each, all);
    for (const Count& each : figures.shadow_refusals) all.push_back(each.read());
}

/// All that a worker has counted, but for what its pools say anew.
std::vector<uint64_t> all_of(const Counting& counting) {
    const Metrics& metrics = *counting.metrics;
    std::vector<uint64_t> all{metrics.total(Total::begun),
                              metrics.total(Total::ended),
                              metrics.total(Total::races_repeated),
                              metrics.total(Total::races_failed),
                              metrics.total(Total::request_bytes),
                              metrics.total(Total::response_bytes),
                              metrics.arrivals().full_handshakes.read(),
                              metrics.arrivals().resumed_handshakes.read()};
    for (size_t kind = 0; kind < policy::kFloods; ++kind)
        all.push_back(metrics.floods(static_cast<policy::Flood>(kind)));
    for (const Count& each : metrics.arrivals().failed_handshakes) all.push_back(each.read());
    for (const Count& each : metrics.arrivals().refused_headers) all.push_back(each.read());
    for (const Scope& scope : counting.plan->rules.scopes()) add_all(metrics.scope(scope.number), all);
    for (size_t server = 0; server < counting.plan->fleet->size(); ++server) {
        all.push_back(metrics.server(server).reused.read());
        add_all(metrics.server(server).retries, all);
    }
    return all;
}

}  // namespace

TEST_CASE("every figure goes on after a reload as it was, however often") {
    Counting first(limited_settings());
    count_everything(first);
    const std::vector<uint64_t> before = all_of(first);
    const Counting second = first.followed_by(limited_settings());
    CHECK(all_of(second) == before);
    CHECK(all_of(second.followed_by(limited_settings())) == before);
    CHECK(second.metrics->server(0).idle.read() == 0);
}

TEST_CASE("figures follow their names, wherever these stand now") {
    config::Settings settings = limited_settings();
    Counting first(settings);
    count_everything(first);
    std::swap(settings.upstream.servers[0], settings.upstream.servers[1]);
    std::swap(settings.shadow[0], settings.shadow[1]);
    settings.routes.insert(settings.routes.begin(), settings.routes[0]);
    settings.routes[0].name = "new";
    const Counting second = first.followed_by(settings);
    CHECK(second.metrics->server(0).reused.read() == 6);
    CHECK(second.metrics->server(1).reused.read() == 5);
    CHECK(second.metrics->scope(0).shadow_refusals[0].read() == 1);
    CHECK(second.metrics->scope(0).shadow_refusals[1].read() == 0);
    CHECK(second.metrics->scope(1).codes.read(503) == 0);
    CHECK(second.metrics->scope(2).codes.read(503) == 2);
}

TEST_CASE("what is gone is gone, and the sums over all requests go on") {
    config::Settings settings = limited_settings();
    Counting first(settings);
    count_everything(first);
    settings.routes.clear();
    settings.upstream.servers.pop_back();
    settings.limits.rates.clear();
    const Counting second = first.followed_by(settings);
    CHECK(second.metrics->total(Total::ended) == first.metrics->total(Total::ended));
    CHECK(second.metrics->total(Total::request_bytes) == first.metrics->total(Total::request_bytes));
    CHECK(second.metrics->server(0).reused.read() == 5);
    const Counting third = second.followed_by(limited_settings());
    CHECK(third.metrics->scope(1).codes.read(503) == 0);
    CHECK(third.metrics->server(1).reused.read() == 0);
}

TEST_CASE("a server that is listed twice keeps figures of its own each time") {
    config::Settings settings = limited_settings();
    settings.upstream.servers[1] = settings.upstream.servers[0];
    Counting first(settings);
    count_everything(first);
    const Counting second = first.followed_by(settings);
    CHECK(second.metrics->server(0).reused.read() == 5);
    CHECK(second.metrics->server(1).reused.read() == 6);
}

}  // namespace weir::proxy
