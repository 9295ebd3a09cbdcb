#include "proxy/public_answers.h"

#include <doctest/doctest.h>

#include "proxy/worker_parts.h"

namespace weir::proxy {

TEST_CASE("without a path every path is the app's") {
    WorkerParts parts;
    CHECK_FALSE(parts.kit().plan().public_answers.has_any());
}

TEST_CASE("a path is found in whatever way it is written, and only it") {
    WorkerParts parts;
    parts.settings.public_paths.health = "/weir/health";
    const PublicAnswers& answers = parts.kit().plan().public_answers;
    CHECK(answers.has_any());
    for (const char* path :
         {"/weir/health", "//weir/health", "/weir/./health", "/a/../weir/health", "/weir/he%61lth"})
        CHECK_MESSAGE(answers.at(path, parts.kit()).has_value(), path);
    for (const char* path : {"/", "*", "/weir/health/", "/weir/healthy", "/weir", "/weir%2Fhealth",
                             "/../weir/health", "/weir/health%", "/weir/health%00"})
        CHECK_FALSE_MESSAGE(answers.at(path, parts.kit()).has_value(), path);
}

TEST_CASE("health is well until the worker drains") {
    WorkerParts parts;
    parts.settings.public_paths.health = "/health";
    Kit& kit = parts.kit();
    auto answer = kit.plan().public_answers.at("/health", kit);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body == "{\"status\":\"ok\"}\n");
    CHECK(answer->reason.empty());
    kit.draining = true;
    answer = kit.plan().public_answers.at("/health", kit);
    CHECK(answer->status == 503);
    CHECK(answer->body == "{\"status\":\"draining\"}\n");
    CHECK(answer->reason == "draining");
}

}  // namespace weir::proxy
