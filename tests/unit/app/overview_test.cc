#include "app/overview.h"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "app/watched_parts.h"

namespace weir::app {

namespace {
using Names = std::vector<std::string>;
}

TEST_CASE("names that are there once stay as they are, and others get numbers in their order") {
    CHECK(told_apart({}) == Names{});
    CHECK(told_apart({"a", "b"}) == Names{"a", "b"});
    CHECK(told_apart({"a", "b", "a", "a", "b"}) == Names{"a", "b", "a#2", "a#3", "b#2"});
}

TEST_CASE("a number that is taken already is passed over") {
    CHECK(told_apart({"a", "a#2", "a"}) == Names{"a", "a#2", "a#3"});
    CHECK(told_apart({"a#2", "a", "a"}) == Names{"a#2", "a", "a#3"});
    CHECK(told_apart({"a", "a", "a#2"}) == Names{"a", "a#2", "a#2#2"});
}

TEST_CASE("whatever the names are, no two are the same afterwards") {
    for (uint32_t seed = 1; seed <= 200; ++seed) {
        INFO("seed ", seed);
        std::mt19937 random(seed);
        Names names;
        for (size_t count = random() % 12; count > 0; --count) {
            static const Names kChoice{"a", "a#2", "a#3", "a#2#2", "b", "b#2"};
            names.push_back(kChoice[random() % kChoice.size()]);
        }
        const Names apart = told_apart(names);
        CHECK(apart.size() == names.size());
        CHECK(std::set<std::string>(apart.begin(), apart.end()).size() == names.size());
        for (size_t i = 0; i < apart.size(); ++i) CHECK(apart[i].starts_with(names[i]));
    }
}

TEST_CASE("servers are named by their addresses, caps by their names") {
    config::Settings settings = proxy::limited_settings();
    settings.upstream.servers.push_back(settings.upstream.servers.front());
    const WatchedParts parts(settings);
    const Names servers = server_labels(parts.settings);
    REQUIRE(servers.size() == 3);
    CHECK(servers[1] == "127.0.0.1:5001");
    CHECK(servers[2] == servers[0] + "#2");
    CHECK(cap_labels(parts.rules) == Names{"concurrency", "reports-concurrency"});
}

TEST_CASE("a scope's figures are those of all workers, and of no other scope") {
    WatchedParts parts;
    proxy::AccessRecord record;
    record.status = 200;
    for (int count : {1, 2}) {
        record.total = std::chrono::milliseconds(count);
        parts.workers[static_cast<size_t>(count - 1)]->note(parts.rules.scopes()[1], record);
    }
    const auto figures = added_up(parts.overview, 1, &proxy::ScopeFigures::duration);
    CHECK(figures.count() == 2);
    CHECK(figures.sum_seconds() == doctest::Approx(0.003));
    CHECK(added_up(parts.overview, 0, &proxy::ScopeFigures::duration).count() == 0);
    CHECK(added_up(parts.overview, 1, &proxy::ScopeFigures::upstream).count() == 0);
}

}  // namespace weir::app
