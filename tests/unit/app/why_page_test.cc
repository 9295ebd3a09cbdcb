#include "app/why_page.h"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "app/watched_parts.h"

namespace weir::app {

namespace {

using nlohmann::json;
using std::chrono::microseconds;
using std::chrono::milliseconds;

proxy::AccessRecord refused(http::Reason reason = http::Reason::rate_limited) {
    proxy::AccessRecord record;
    record.time = WallTime(std::chrono::seconds(1'700'000'000) + microseconds(1234));
    record.request_id = "id";
    record.client_address = "192.0.2.7";
    record.method = "GET";
    record.target = "/reports?token=hidden";
    record.route = "reports";
    record.rule = "per-min";
    record.refusal = reason;
    record.status = http::text_of(reason).status;
    record.total = microseconds(1500);
    return record;
}

std::set<std::string> members_of(const json& object) {
    std::set<std::string> names;
    for (const auto& [name, value] : object.items()) names.insert(name);
    return names;
}

}  // namespace

TEST_CASE("all that is known of a request is told, and nothing that is not") {
    WatchedParts parts;
    proxy::AccessRecord record = refused();
    record.detail = "used up";
    record.retry_after = milliseconds(1500);
    parts.notable_requests[0].note(record);
    const json why = json::parse(why_json(parts.overview, "id").value_or("{}"));
    CHECK(members_of(why) == std::set<std::string>{"request_id", "time", "client", "method", "path", "route",
                                                   "status", "reason", "rule", "detail", "meaning",
                                                   "retry_after", "what_to_do", "total_ms", "retries"});
    CHECK(why["request_id"] == "id");
    CHECK(why["time"] == "2023-11-14T22:13:20.001234Z");
    CHECK(why["client"] == "192.0.2.7");
    CHECK(why["path"] == "/reports?token=***");
    CHECK(why["status"] == 429);
    CHECK(why["reason"] == "rate_limited");
    CHECK(why["detail"] == "used up");
    CHECK(why["meaning"] == http::meaning_of(http::Reason::rate_limited));
    CHECK(why["retry_after"] == 2);
    CHECK(why["total_ms"] == 1.5);
    CHECK(why["retries"] == 0);
    CHECK(std::string(why["what_to_do"]).find("`per-min`") != std::string::npos);
}

TEST_CASE("times, server, cut and rules in shadow are told where there are any") {
    WatchedParts parts;
    proxy::AccessRecord record;
    record.request_id = "id";
    record.status = 200;
    record.cut = "upstream_reset";
    record.server = "127.0.0.1:5000";
    record.queue = milliseconds(1);
    record.hold = milliseconds(2);
    record.connect = milliseconds(3);
    record.first_byte = milliseconds(4);
    record.slow = true;
    record.retries = 1;
    const std::array<std::string_view, 3> names{"tight", "tighter", "cap"};
    record.shadow_names = names;
    record.shadow_refusals.set(1).set(2);
    parts.notable_requests[0].note(record);
    const json why = json::parse(why_json(parts.overview, "id").value_or("{}"));
    CHECK(why["cut"] == "upstream_reset");
    CHECK(why["server"] == "127.0.0.1:5000");
    CHECK(why["shadow"] == json::array({"tighter", "cap"}));
    CHECK(why["queue_ms"] == 1);
    CHECK(why["hold_ms"] == 2);
    CHECK(why["connect_ms"] == 3);
    CHECK(why["first_byte_ms"] == 4);
    CHECK(why["slow"] == true);
    CHECK(why["retries"] == 1);
    for (const char* absent : {"reason", "meaning", "retry_after", "rule"}) CHECK_FALSE(why.contains(absent));
}

TEST_CASE("of several workers' requests with the same id the newest is told of") {
    WatchedParts parts;
    proxy::AccessRecord record = refused();
    parts.notable_requests[1].note(record);
    record.time -= std::chrono::seconds(1);
    record.status = 503;
    parts.notable_requests[0].note(record);
    CHECK(json::parse(*why_json(parts.overview, "id"))["status"] == 429);
    record.time += std::chrono::seconds(2);
    parts.notable_requests[0].note(record);
    CHECK(json::parse(*why_json(parts.overview, "id"))["status"] == 503);
    CHECK_FALSE(why_json(parts.overview, "other"));
}

TEST_CASE("bytes that are no UTF-8 are told of as well") {
    WatchedParts parts;
    proxy::AccessRecord record = refused(http::Reason::bad_request);
    record.target = "/\xff\xfe\"<script>";
    parts.notable_requests[0].note(record);
    CHECK(json::parse(*why_json(parts.overview, "id"))["path"] == "/\uFFFD\uFFFD\"<script>");
}

}  // namespace weir::app
