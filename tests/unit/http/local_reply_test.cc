#include "http/local_reply.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "random_source.h"

using namespace weir;
using namespace weir::http;

TEST_CASE("an answer of weir's says what, why and to which request") {
    LocalReply reply;
    reply.reason = Reason::overloaded;
    reply.detail = "Come back later.";
    reply.request_id = "id-1";
    reply.retry_after = std::chrono::milliseconds(1500);
    const auto problem = nlohmann::json::parse(problem_json(reply));
    CHECK(problem["type"] == "about:blank");
    CHECK(problem["title"] == "Service Unavailable");
    CHECK(problem["status"] == 503);
    CHECK(problem["detail"] == "Come back later.");
    CHECK(problem["reason"] == "overloaded");
    CHECK(problem["request_id"] == "id-1");
    CHECK(problem["retry_after"] == 2);
}

TEST_CASE("retry_after stands there only where it is known") {
    CHECK_FALSE(nlohmann::json::parse(problem_json(LocalReply())).contains("retry_after"));
}

TEST_CASE("whatever bytes the detail holds, the text is JSON in UTF-8") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 3000; ++round) {
        std::string detail(random.below(40), ' ');
        for (char& c : detail) c = random.byte();
        LocalReply reply;
        reply.detail = detail;
        const std::string text = problem_json(reply);
        REQUIRE(nlohmann::json::accept(text));
        // Throws on what is not UTF-8.
        REQUIRE_NOTHROW(nlohmann::json(text).dump());
    }
}

TEST_CASE("Retry-After is rounded up to whole seconds and is never zero") {
    using namespace std::chrono_literals;
    CHECK(retry_after_seconds(0ns) == 1);
    CHECK(retry_after_seconds(-5s) == 1);
    CHECK(retry_after_seconds(1ns) == 1);
    CHECK(retry_after_seconds(1s) == 1);
    CHECK(retry_after_seconds(1s + 1ns) == 2);
    CHECK(retry_after_seconds(3600s) == 3600);
}
