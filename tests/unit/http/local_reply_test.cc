#include "http/local_reply.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "random_source.h"

using namespace weir;
using namespace weir::http;
using Kind = BodyPiece::Kind;

namespace {

nlohmann::json parsed(const LocalReply& reply) { return nlohmann::json::parse(problem_json(reply)); }

std::string written(const BodyTemplate& body, const LocalReply& reply) {
    std::string room = "what was there before";
    return std::string(body.write(reply, room));
}

LocalReply quoting(std::string_view detail) {
    LocalReply reply;
    reply.detail = detail;
    reply.request_id = "id-1";
    return reply;
}

}  // namespace

TEST_CASE("an answer of weir's says what, why and to which request") {
    LocalReply reply;
    reply.reason = Reason::upstream_unavailable;
    reply.detail = "Come back later.";
    reply.request_id = "id-1";
    reply.retry_after = std::chrono::milliseconds(1500);
    const auto problem = parsed(reply);
    CHECK(problem["type"] == "about:blank");
    CHECK(problem["title"] == "Service Unavailable");
    CHECK(problem["status"] == 503);
    CHECK(problem["detail"] == "Come back later.");
    CHECK(problem["reason"] == "upstream_unavailable");
    CHECK(problem["request_id"] == "id-1");
    CHECK(problem["retry_after"] == 2);
}

TEST_CASE("what is not known is left out") {
    const auto problem = parsed(LocalReply());
    CHECK_FALSE(problem.contains("retry_after"));
    CHECK_FALSE(problem.contains("rule"));
    CHECK_FALSE(problem.contains("violated-policies"));
    CHECK(problem["request_id"] == "");
}

TEST_CASE("a client beyond its quota is told which policy it violated, as the draft has it") {
    LocalReply reply;
    reply.reason = Reason::rate_limited;
    reply.rule = "per-min";
    const auto problem = parsed(reply);
    CHECK(problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded");
    CHECK(problem["title"] == "Quota Exceeded");
    CHECK(problem["status"] == 429);
    CHECK(problem["rule"] == "per-min");
    CHECK(problem["violated-policies"] == nlohmann::json::array({"per-min"}));
    reply.rule = "";
    CHECK_FALSE(parsed(reply).contains("violated-policies"));
}

TEST_CASE("a client that finds no room is told so, and that it violated nothing") {
    for (const Reason reason :
         {Reason::queue_full, Reason::queue_timeout, Reason::predicted_wait, Reason::overloaded}) {
        LocalReply reply;
        reply.reason = reason;
        reply.rule = "reports";
        const auto problem = parsed(reply);
        CHECK(problem["type"] ==
              "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity");
        CHECK(problem["title"] == "Temporary Reduced Capacity");
        CHECK(problem["rule"] == "reports");
        CHECK_FALSE(problem.contains("violated-policies"));
    }
}

TEST_CASE("the members stand in one order, and a newline ends the text") {
    LocalReply reply;
    reply.reason = Reason::rate_limited;
    reply.rule = "per-min";
    reply.detail = "60 in a minute";
    reply.request_id = "id-1";
    reply.retry_after = std::chrono::seconds(7);
    CHECK(problem_json(reply) ==
          "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\","
          "\"title\":\"Quota Exceeded\",\"status\":429,\"detail\":\"60 in a minute\","
          "\"reason\":\"rate_limited\",\"rule\":\"per-min\",\"request_id\":\"id-1\",\"retry_after\":7,"
          "\"violated-policies\":[\"per-min\"]}\n");
}

TEST_CASE("every reason's answer is whole") {
    for (size_t i = 0; i < kReasons; ++i) {
        LocalReply reply;
        reply.reason = static_cast<Reason>(i);
        const auto problem = parsed(reply);
        CHECK(problem["status"] == text_of(reply.reason).status);
        CHECK(problem["reason"] == text_of(reply.reason).slug);
        CHECK_FALSE(problem["title"].get<std::string>().empty());
        CHECK_FALSE(problem["type"].get<std::string>().empty());
    }
}

TEST_CASE("whatever bytes the parts hold, the text is JSON in UTF-8, and its members are those that it has") {
    RandomSource random;
    INFO("seed: " << random.seed());
    std::string room;
    for (int round = 0; round < 3000; ++round) {
        std::string parts[3];
        for (std::string& part : parts) {
            part.resize(1 + random.below(40));
            for (char& c : part) c = random.one_in(4) ? random.one_of("\"\\{},:") : random.byte();
        }
        const LocalReply reply{.reason = Reason::rate_limited,
                               .rule = parts[0],
                               .detail = parts[1],
                               .request_id = parts[2],
                               .retry_after = {}};
        const std::string_view text = problem_json(reply, room);
        REQUIRE(nlohmann::json::accept(text));
        // Throws on what is not UTF-8.
        REQUIRE_NOTHROW(nlohmann::json(text).dump());
        REQUIRE(nlohmann::json::parse(text).size() == 8);
    }
}

TEST_CASE("the room is large enough for the longest answer of each reason") {
    const std::string longest(1000, '\x01');  // six bytes each
    for (size_t i = 0; i < kReasons; ++i) {
        const LocalReply reply{.reason = static_cast<Reason>(i),
                               .rule = longest,
                               .detail = longest,
                               .request_id = longest,
                               .retry_after = Duration::max()};
        std::string room;
        const auto problem = problem_json(reply, room);
        CHECK(problem.size() <= room.size());
        CHECK(nlohmann::json::parse(problem)["detail"] == longest);
        CHECK(written(BodyTemplate("application/json", {{Kind::detail, ""}, {Kind::request_id, ""}}), reply)
                  .size() == 12 * longest.size());
    }
}

TEST_CASE("room that is used again is overwritten and not made anew") {
    std::string room;
    const auto before = problem_json(quoting(std::string(200, 'x')), room);
    const auto after = problem_json(quoting("short"), room);
    CHECK(after == problem_json(quoting("short")));
    CHECK(after.data() == before.data());
}

TEST_CASE("an operator's body holds the values of its answer") {
    const BodyTemplate body("text/plain", {{Kind::text, "Error "},
                                           {Kind::status, ""},
                                           {Kind::text, " ("},
                                           {Kind::reason, ""},
                                           {Kind::text, "): "},
                                           {Kind::detail, ""},
                                           {Kind::text, " ["},
                                           {Kind::request_id, ""},
                                           {Kind::text, "]\n"}});
    CHECK(body.content_type() == "text/plain");
    CHECK(written(body, quoting("a <b>\r\nX: \"y\"")) == "Error 400 (bad_request): a <b>X: \"y\" [id-1]\n");
}

TEST_CASE("an operator's body is escaped as its content type needs it, and its own text never") {
    const std::vector<BodyPiece> pieces = {
        {Kind::text, "<p title=\"\t\">"}, {Kind::detail, ""}, {Kind::text, "</p>"}, {Kind::request_id, ""}};
    LocalReply reply = quoting("<i>\"");
    reply.request_id = "\"&";
    CHECK(written(BodyTemplate("text/html; charset=utf-8", pieces), reply) ==
          "<p title=\"\t\">&lt;i&gt;&quot;</p>&quot;&amp;");
    CHECK(written(BodyTemplate("application/json", pieces), reply) == "<p title=\"\t\"><i>\\\"</p>\\\"&");
}

TEST_CASE("Retry-After is rounded up to whole seconds and is never zero") {
    using namespace std::chrono_literals;
    CHECK(retry_after_seconds(0ns) == 1);
    CHECK(retry_after_seconds(-5s) == 1);
    CHECK(retry_after_seconds(1ns) == 1);
    CHECK(retry_after_seconds(1s) == 1);
    CHECK(retry_after_seconds(1s + 1ns) == 2);
    CHECK(retry_after_seconds(3600s) == 3600);
    CHECK(retry_after_seconds(Duration::max()) == 9223372037);
}
