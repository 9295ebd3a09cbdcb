#include "proxy/notable_requests.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <thread>

namespace weir::proxy {

namespace {

using Text = NotableRequest::Text;
using std::chrono::milliseconds;

AccessRecord refused(std::string_view id = "id") {
    AccessRecord record;
    record.request_id = id;
    record.client_address = "192.0.2.7";
    record.method = "GET";
    record.target = "/reports?page=3";
    record.refusal = http::Reason::rate_limited;
    record.reason = "rate_limited";
    record.rule = "per-min";
    record.status = 429;
    return record;
}

}  // namespace

TEST_CASE("what the log says of a request is remembered, each text for itself") {
    AccessRecord record = refused();
    record.time = WallTime(std::chrono::seconds(1'700'000'000));
    record.route = "reports";
    record.server = "127.0.0.1:5000";
    record.detail = "used up";
    record.retry_after = milliseconds(1500);
    record.queue = milliseconds(1);
    record.connect = milliseconds(2);
    record.first_byte = milliseconds(3);
    record.total = milliseconds(4);
    record.retries = 5;
    const NotableRequest kept(record);
    CHECK(kept.text(Text::request_id) == "id");
    CHECK(kept.text(Text::client) == "192.0.2.7");
    CHECK(kept.text(Text::method) == "GET");
    CHECK(kept.text(Text::cut).empty());
    CHECK(kept.text(Text::rule) == "per-min");
    CHECK(kept.text(Text::route) == "reports");
    CHECK(kept.text(Text::server) == "127.0.0.1:5000");
    CHECK(kept.text(Text::path) == "/reports?page=3");
    CHECK(kept.text(Text::detail) == "used up");
    CHECK(kept.text(Text::shadow).empty());
    CHECK(kept.time == record.time);
    CHECK(kept.queue == milliseconds(1));
    CHECK(kept.hold == Duration(-1));
    CHECK(kept.connect == milliseconds(2));
    CHECK(kept.first_byte == milliseconds(3));
    CHECK(kept.total == milliseconds(4));
    CHECK(kept.retry_after == milliseconds(1500));
    CHECK(kept.refusal == http::Reason::rate_limited);
    CHECK(kept.retries == 5);
    CHECK(kept.status == 429);
    CHECK_FALSE(kept.slow);
}

TEST_CASE("secrets in the query are struck out before anything is kept, wherever they stand") {
    AccessRecord record = refused();
    record.target = "/a?token=hidden&page=2&api_key=hidden;too";
    CHECK(NotableRequest(record).text(Text::path) == "/a?token=***&page=2&api_key=***");
    for (size_t length = 0; length < 400; ++length) {
        CAPTURE(length);
        const std::string target =
            "/" + std::string(length, 'a') + "?password=hidden" + std::string(300, 'x');
        record.target = target;
        CHECK(NotableRequest(record).text(Text::path).find("hid") == std::string_view::npos);
    }
}

TEST_CASE("texts of any length fit, the most important ones whole, and what is cut says so") {
    const std::string id(128, 'i');
    const std::string address(45, '1');
    const std::string method(32, 'M');
    const std::string name(48, 'n');
    const std::string endless(5000, 'e');
    AccessRecord record = refused(id);
    record.client_address = address;
    record.method = method;
    record.rule = record.route = record.server = name;
    record.target = record.detail = endless;
    record.cut = "client_too_slow";
    std::array<std::string_view, kMostShadows> names;
    names.fill(endless);
    record.shadow_names = names;
    record.shadow_refusals.set();
    const NotableRequest kept(record);
    CHECK(kept.text(Text::request_id) == id);
    CHECK(kept.text(Text::client) == address);
    CHECK(kept.text(Text::method) == method);
    CHECK(kept.text(Text::cut) == "client_too_slow");
    for (const Text each : {Text::rule, Text::route, Text::server}) CHECK(kept.text(each) == name);
    CHECK(kept.text(Text::path).size() >= NotableRequest::kLeastPath);
    CHECK(kept.text(Text::path).ends_with("e\u2026"));
    for (const Text each : {Text::detail, Text::shadow}) CHECK(kept.text(each).size() <= 120);
}

TEST_CASE("a text is not cut inside a character") {
    for (size_t before = 0; before < 4; ++before) {
        CAPTURE(before);
        std::string name(before, 'a');
        while (name.size() < 200) name += "\u20AC";
        AccessRecord record = refused();
        record.rule = name;
        const NotableRequest request(record);
        const std::string_view kept = request.text(Text::rule);
        CHECK(kept.size() <= 48);
        CHECK(kept.size() >= 44);
        CHECK((kept.size() - before) % 3 == 0);
        CHECK(kept.ends_with("\u20AC\u2026"));
    }
}

TEST_CASE("rules in shadow are named with a space between them") {
    AccessRecord record = refused();
    const std::array<std::string_view, 3> names{"tighter", "other", "cap"};
    record.shadow_names = names;
    record.shadow_refusals.set(0);
    record.shadow_refusals.set(2);
    CHECK(NotableRequest(record).text(Text::shadow) == "tighter cap");
}

TEST_CASE("refused, cut, slow and shadowed requests are notable, and no others") {
    CHECK(is_notable(refused()));
    AccessRecord record;
    record.status = 500;
    CHECK_FALSE(is_notable(record));
    record.slow = true;
    CHECK(is_notable(record));
    record.slow = false;
    record.cut = "client_gone";
    CHECK(is_notable(record));
    record.cut = "";
    record.shadow_refusals.set(3);
    CHECK(is_notable(record));
}

TEST_CASE("the newest of equal ids is found, and an id that is none is not") {
    NotableRequests ring(1);
    CHECK_FALSE(ring.find("id"));
    AccessRecord record = refused();
    ring.note(record);
    record.status = 503;
    ring.note(record);
    REQUIRE(ring.find("id"));
    CHECK(ring.find("id")->status == 503);
    for (const char* other : {"", "i", "idd", "ID"}) CHECK_FALSE(ring.find(other));
}

TEST_CASE("of more requests than there is room for the last ones are kept, exactly") {
    for (const size_t workers : {size_t{1}, size_t{3}, size_t{64}}) {
        NotableRequests ring(workers);
        const size_t capacity = NotableRequests::kMost / workers;
        REQUIRE(ring.capacity() == capacity);
        const size_t count = 2 * capacity + 7;
        for (size_t i = 0; i < count; ++i) ring.note(refused(std::to_string(i)));
        for (size_t i = 0; i < count; ++i) {
            const auto found = ring.find(std::to_string(i));
            if (found.has_value() != (i >= count - capacity)) FAIL("request ", i, " of ", count);
            if (found) CHECK(found->text(Text::request_id) == std::to_string(i));
        }
    }
}

TEST_CASE("somebody may look while the worker writes") {
    NotableRequests ring(64);
    std::thread writer([&] {
        for (size_t i = 0; i < 20'000; ++i) ring.note(refused(i % 2 == 0 ? "even" : "odd"));
    });
    for (int i = 0; i < 2000; ++i) {
        const auto found = ring.find("odd");
        if (found) CHECK(found->text(Text::rule) == "per-min");
    }
    writer.join();
    CHECK(ring.find("odd"));
}

}  // namespace weir::proxy
