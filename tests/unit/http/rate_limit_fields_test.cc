#include "http/rate_limit_fields.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "random_source.h"

using namespace weir;
using namespace weir::http;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();

/// "Name: value" of each field, from a buffer that is exactly as large as the bound.
std::vector<std::string> lines_of(const RateLimitAnswer& answer) {
    std::vector<char> buffer(rate_limit_bound(answer));
    std::vector<Field> fields;
    const size_t written = add_rate_limit_fields(answer, buffer.data(), fields);
    REQUIRE(written <= buffer.size());
    std::vector<std::string> lines;
    for (const Field& field : fields) {
        CHECK(field.id == FieldId::other);
        lines.push_back(std::string(field.name) + ": " + std::string(field.value));
    }
    return lines;
}

std::string rate_limit_of(const RateLimitState& state) {
    return lines_of({.form = RateLimitForm::draft, .policies = "", .nearest = state}).at(0);
}

const RateLimitState& nearest_of(std::span<const RateLimitState> states) {
    return *std::ranges::min_element(states, is_nearer_to_its_end);
}

}  // namespace

TEST_CASE("the policies of a route are one list") {
    const RateLimitPolicy policies[] = {{"per-min", 60, 60s}, {"per-hour", 1000, 1h}};
    CHECK(rate_limit_policies(policies) == R"("per-min";q=60;w=60, "per-hour";q=1000;w=3600)");
    CHECK(rate_limit_policies({}).empty());
    const RateLimitPolicy extreme[] = {{R"("\)", kMost, 31 * 24h}};
    CHECK(rate_limit_policies(extreme) == R"("\"\\";q=4294967295;w=2678400)");
}

TEST_CASE("a window that is not of whole seconds is not announced") {
    const RateLimitPolicy policies[] = {{"a", 5, 100ms}, {"b", 5, 1500ms}, {"c", 5, 1s}, {"d", 5, 0s}};
    CHECK(rate_limit_policies(policies) == R"("a";q=5, "b";q=5, "c";q=5;w=1, "d";q=5)");
}

TEST_CASE("the draft's fields tell of the policies and of what is left") {
    const RateLimitAnswer answer{.form = RateLimitForm::draft,
                                 .policies = R"("per-min";q=60;w=60)",
                                 .nearest = {.name = "per-min", .quota = 60, .remaining = 12, .reset = 31s}};
    CHECK(lines_of(answer) == std::vector<std::string>{R"(RateLimit-Policy: "per-min";q=60;w=60)",
                                                       R"(RateLimit: "per-min";r=12;t=31)"});
}

TEST_CASE("the older fields tell the same of the same policy") {
    RateLimitAnswer answer{.form = RateLimitForm::legacy,
                           .policies = R"("per-min";q=60;w=60)",
                           .nearest = {.name = "per-min", .quota = 60, .remaining = 12, .reset = 31s}};
    const std::vector<std::string> legacy = {"X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 12",
                                             "X-RateLimit-Reset: 31"};
    CHECK(lines_of(answer) == legacy);
    answer.form = RateLimitForm::both;
    CHECK(lines_of(answer).size() == 5);
    CHECK(lines_of(answer).at(1) == R"(RateLimit: "per-min";r=12;t=31)");
    CHECK(lines_of(answer).at(4) == "X-RateLimit-Reset: 31");
}

TEST_CASE("times are rounded up, and nothing spent is zero") {
    CHECK(rate_limit_of({.name = "a", .reset = 1ns}) == R"(RateLimit: "a";r=0;t=1)");
    CHECK(rate_limit_of({.name = "a", .reset = 30s + 1ns}) == R"(RateLimit: "a";r=0;t=31)");
    CHECK(rate_limit_of({.name = "a", .reset = 0s}) == R"(RateLimit: "a";r=0;t=0)");
    CHECK(rate_limit_of({.name = "a", .reset = -1s}) == R"(RateLimit: "a";r=0;t=0)");
}

TEST_CASE("the fields fit their bound, whatever is in them") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 1000; ++round) {
        const std::string name = random.text(40, "\"\\ab");
        const RateLimitAnswer answer{
            .form = RateLimitForm::both,
            .policies = "p",
            .nearest = {.name = name, .quota = kMost, .remaining = kMost, .reset = Duration::max()}};
        REQUIRE(lines_of(answer).size() == 5);
    }
}

TEST_CASE("an answer tells of the limit where the fewest requests are left, not the smallest share") {
    const RateLimitState states[] = {{.name = "hour", .quota = 1000, .remaining = 15, .reset = 1800s},
                                     {.name = "minute", .quota = 60, .remaining = 12, .reset = 31s}};
    CHECK(nearest_of(states).name == "minute");
}

TEST_CASE("of limits that are equally near, an answer tells of the one that takes longest") {
    const RateLimitState states[] = {{.name = "minute", .quota = 60, .remaining = 0, .reset = 31s},
                                     {.name = "hour", .quota = 1000, .remaining = 0, .reset = 1800s},
                                     {.name = "second", .quota = 5, .remaining = 0, .reset = 1s}};
    CHECK(nearest_of(states).name == "hour");
}

TEST_CASE("what is left counts in requests of this one's cost") {
    const RateLimitState states[] = {{.name = "cheap", .quota = 60, .remaining = 3, .cost = 1, .reset = 31s},
                                     {.name = "dear", .quota = 60, .remaining = 19, .cost = 10, .reset = 1s}};
    CHECK(nearest_of(states).name == "dear");
}

TEST_CASE("a client that sends what it is told is left is refused by none of its limits") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 1000; ++round) {
        std::vector<RateLimitState> states(1 + random.below(5));
        for (RateLimitState& state : states) {
            state.cost = static_cast<uint32_t>(1 + random.below(4));
            state.remaining = static_cast<uint32_t>(random.below(50));
        }
        const RateLimitState& told = nearest_of(states);
        for (const RateLimitState& state : states) {
            REQUIRE(state.remaining >= told.remaining / told.cost * state.cost);
        }
    }
}

TEST_CASE("the older fields are recognised in any case, and the draft's are not among them") {
    CHECK(is_legacy_rate_limit("x-ratelimit-limit"));
    CHECK(is_legacy_rate_limit("X-RateLimit-Remaining"));
    CHECK(is_legacy_rate_limit("X-Ratelimit-Reset"));
    CHECK_FALSE(is_legacy_rate_limit("RateLimit"));
    CHECK_FALSE(is_legacy_rate_limit("X-RateLimit-Reset-After"));
}
