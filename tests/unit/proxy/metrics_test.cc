#include "proxy/metrics.h"

#include <doctest/doctest.h>

#include "proxy/limited_settings.h"

using namespace std::chrono_literals;

namespace weir::proxy {

namespace {

/// The rules of limited_settings, and the figures of a worker that goes by them.
struct Counted {
    config::Settings settings = limited_settings();
    Rules rules{settings, HashSeed{1, 2}};
    Metrics metrics{rules, settings.upstream.servers.size()};

    [[nodiscard]] const Scope& everywhere() const { return rules.scopes()[0]; }
    [[nodiscard]] const Scope& reports() const { return rules.scopes()[1]; }
};

AccessRecord answered_with(uint16_t status) {
    AccessRecord record;
    record.status = status;
    return record;
}

uint64_t of(const ScopeFigures::ByReason& counts, http::Reason reason) {
    return counts[static_cast<size_t>(reason)].read();
}

uint64_t all_of(const ScopeFigures::ByReason& counts) {
    uint64_t sum = 0;
    for (const Count& count : counts) sum += count.read();
    return sum;
}

}  // namespace

TEST_CASE("a request counts in the figures of its own route") {
    Counted counted;
    counted.metrics.begin();
    counted.metrics.begin();
    AccessRecord record = answered_with(200);
    record.request_bytes = 3;
    record.response_bytes = 70;
    record.total = 5ms;
    record.slot_wait = 0ms;
    record.upstream = 4ms;
    counted.metrics.note(counted.reports(), record);
    const ScopeFigures& reports = counted.metrics.scope(1);
    CHECK(reports.codes.read(200) == 1);
    CHECK(reports.duration.read().count() == 1);
    CHECK(reports.duration.read().sum_seconds() == doctest::Approx(0.005));
    CHECK(reports.upstream.read().sum_seconds() == doctest::Approx(0.004));
    CHECK(reports.queue_wait.read().count() == 1);
    CHECK(counted.metrics.scope(0).codes.read(200) == 0);
    CHECK(counted.metrics.scope(0).duration.read().count() == 0);
    CHECK(counted.metrics.total(Total::request_bytes) == 3);
    CHECK(counted.metrics.total(Total::response_bytes) == 70);
    CHECK(counted.metrics.total(Total::begun) == 2);
    CHECK(counted.metrics.total(Total::ended) == 1);
}

TEST_CASE("what a request never came to is observed nowhere") {
    Counted counted;
    counted.metrics.note(counted.everywhere(), answered_with(400));
    const ScopeFigures& figures = counted.metrics.scope(0);
    CHECK(figures.duration.read().count() == 1);
    CHECK(figures.upstream.read().count() == 0);
    CHECK(figures.queue_wait.read().count() == 0);
}

TEST_CASE("a status that is none counts as a client that left") {
    Counted counted;
    counted.metrics.note(counted.everywhere(), answered_with(0));
    counted.metrics.note(counted.everywhere(), answered_with(600));
    CHECK(counted.metrics.scope(0).codes.read(499) == 2);
}

TEST_CASE("a refusal counts for the rule that decided it, and once") {
    using http::Reason;
    Counted counted;
    REQUIRE(counted.reports().enforced.size() == 2);
    REQUIRE(counted.reports().caps.size() == 2);
    const auto refuse = [&](Reason reason, std::string_view rule) {
        AccessRecord record = answered_with(http::text_of(reason).status);
        record.rule = rule;
        record.refusal = reason;
        counted.metrics.note(counted.reports(), record);
    };
    refuse(Reason::rate_limited, "reports-rate");
    refuse(Reason::rate_limited, "per-min");
    refuse(Reason::queue_full, "reports-concurrency");
    refuse(Reason::predicted_wait, "concurrency");
    refuse(Reason::invalid_parameter, "reports");
    refuse(Reason::deadline, "");
    const ScopeFigures& figures = counted.metrics.scope(1);
    CHECK(of(figures.refused_by_rate[0], Reason::rate_limited) == 1);
    CHECK(of(figures.refused_by_rate[1], Reason::rate_limited) == 1);
    CHECK(of(figures.refused_by_cap[0], Reason::queue_full) == 1);
    CHECK(of(figures.refused_by_cap[1], Reason::predicted_wait) == 1);
    CHECK(of(figures.refused, Reason::invalid_parameter) == 1);
    CHECK(of(figures.refused, Reason::deadline) == 1);
    CHECK(all_of(figures.refused) == 2);
    CHECK(all_of(figures.refused_by_rate[0]) + all_of(figures.refused_by_rate[1]) == 2);
    CHECK(all_of(figures.refused_by_cap[0]) + all_of(figures.refused_by_cap[1]) == 2);
}

TEST_CASE("each rule in shadow has a count of its own") {
    Counted counted;
    REQUIRE(counted.everywhere().shadowed.size() == 2);
    for (const unsigned refusing : {0b10U, 0b11U}) {
        AccessRecord record = answered_with(200);
        record.shadow_refusals = refusing;
        counted.metrics.note(counted.everywhere(), record);
    }
    const ScopeFigures& figures = counted.metrics.scope(0);
    REQUIRE(figures.shadow_refusals.size() == 2);
    CHECK(figures.shadow_refusals[0].read() == 1);
    CHECK(figures.shadow_refusals[1].read() == 2);
    CHECK(all_of(figures.refused) == 0);
}

}  // namespace weir::proxy
