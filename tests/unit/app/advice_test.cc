#include "app/advice.h"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/field_table.h"
#include "http/reason.h"

namespace weir::app {

namespace {

using http::Reason;
using std::chrono::seconds;

proxy::AccessRecord refused(Reason reason) {
    proxy::AccessRecord record;
    record.route = "reports";
    record.rule = "per-min";
    record.refusal = reason;
    record.status = http::text_of(reason).status;
    return record;
}

proxy::AccessRecord cut(std::string_view why) {
    proxy::AccessRecord record;
    record.status = 200;
    record.cut = why;
    return record;
}

proxy::AccessRecord slow() {
    proxy::AccessRecord record;
    record.status = 200;
    record.total = seconds(10);
    record.slow = true;
    return record;
}

std::string advice_on(const proxy::AccessRecord& record) { return advice_for(proxy::NotableRequest(record)); }

/// What a person reads, each found in the text.
bool says(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

std::vector<proxy::AccessRecord> every_kind() {
    std::vector<proxy::AccessRecord> all{slow()};
    for (size_t index = 0; index < http::kReasons; ++index) {
        all.push_back(refused(static_cast<Reason>(index)));
        all.push_back(all.back());
        all.back().route = "";
        all.push_back(cut(http::text_of(static_cast<Reason>(index)).slug));
    }
    for (const char* why : {"client_gone", "client_stalled", "client_too_slow"}) all.push_back(cut(why));
    all.push_back(slow());
    all.back().queue = seconds(6);
    all.push_back(slow());
    all.back().hold = seconds(6);
    return all;
}

/// What stands between backquotes and has the form of a key: `limits.body`.
std::vector<std::string> keys_in(const std::string& text) {
    std::vector<std::string> keys;
    for (size_t open = text.find('`'); open != std::string::npos;) {
        const size_t close = text.find('`', open + 1);
        REQUIRE(close != std::string::npos);
        const std::string quoted = text.substr(open + 1, close - open - 1);
        if (says(quoted, ".") && quoted.find_first_of(" :/") == std::string::npos) keys.push_back(quoted);
        open = text.find('`', close + 1);
    }
    return keys;
}

}  // namespace

TEST_CASE("every reason has a meaning, and advice for whatever a configuration rules or the app did") {
    const std::set<Reason> speak_for_themselves{Reason::expectation_failed, Reason::not_implemented,
                                                Reason::version_not_supported, Reason::draining};
    std::set<std::string_view> meanings;
    for (size_t index = 0; index < http::kReasons; ++index) {
        const auto reason = static_cast<Reason>(index);
        CAPTURE(http::text_of(reason).slug);
        CHECK(http::meaning_of(reason).size() > 10);
        CHECK(meanings.insert(http::meaning_of(reason)).second);
        CHECK(advice_on(refused(reason)).empty() == speak_for_themselves.contains(reason));
    }
}

TEST_CASE("every key that is advised exists") {
    size_t found = 0;
    for (const proxy::AccessRecord& record : every_kind()) {
        for (const std::string& key : keys_in(advice_on(record))) {
            CAPTURE(key);
            CHECK(config::find_field(key) != nullptr);
            ++found;
        }
    }
    CHECK(found > 30);
}

TEST_CASE("advice is whole sentences") {
    for (const proxy::AccessRecord& record : every_kind()) {
        const std::string text = advice_on(record);
        CAPTURE(text);
        if (text.empty()) continue;
        CHECK(text.ends_with("."));
        CHECK_FALSE(says(text, "``"));
        CHECK_FALSE(says(text, "  "));
    }
}

TEST_CASE("where the app cannot be asked, TLS may be why") {
    CHECK(says(advice_on(refused(Reason::upstream_connect)), "`upstream.tls`"));
    CHECK(says(advice_on(refused(Reason::upstream_reset)), "expects https"));
}

TEST_CASE("advice names the route's limits only where the request took a route") {
    proxy::AccessRecord record = refused(Reason::body_too_large);
    CHECK(says(advice_on(record), "`reports`"));
    record.route = "";
    CHECK(advice_on(record) == "The bound is `limits.body`.");
    record.refusal = Reason::method_not_allowed;
    CHECK(advice_on(record).empty());
}

TEST_CASE("advice on a refusal names the rate or the cap that decided") {
    CHECK(says(advice_on(refused(Reason::rate_limited)), "The rate `per-min` decided"));
    proxy::AccessRecord record = refused(Reason::queue_full);
    record.rule = "reports-concurrency";
    CHECK(says(advice_on(record), "The cap `reports-concurrency` was full"));
    CHECK(says(advice_on(record), "`limits.queue.size`"));
    for (const Reason reason : {Reason::queue_timeout, Reason::predicted_wait}) {
        record.refusal = reason;
        CHECK(says(advice_on(record), "`limits.queue.wait`"));
    }
}

TEST_CASE("advice on the app names the server that was asked") {
    proxy::AccessRecord record = refused(Reason::upstream_reset);
    CHECK(says(advice_on(record), "Look at the app: "));
    record.server = "127.0.0.1:5000";
    CHECK(says(advice_on(record), "Look at the app at 127.0.0.1:5000: "));
}

TEST_CASE("advice on an answer that was cut off says who cut it") {
    CHECK(says(advice_on(cut("client_gone")), "client left"));
    CHECK(says(advice_on(cut("client_stalled")), "`timeout.stall`"));
    CHECK(says(advice_on(cut("client_too_slow")), "`limits.min_rate`"));
    CHECK(says(advice_on(cut("deadline")), "`timeout.total`"));
    CHECK(says(advice_on(cut("upstream_reset")), "Look at the app: it broke off its answer."));
}

TEST_CASE("advice on a slow request says where its time went, and a cut goes before that") {
    proxy::AccessRecord record = slow();
    CHECK(says(advice_on(record), "`log.slow`"));
    record.queue = seconds(6);
    CHECK(says(advice_on(record), "`limits.concurrency`"));
    record.queue = seconds(1);
    record.hold = seconds(8);
    CHECK(says(advice_on(record), "`upstream.hold`"));
    record.cut = "client_gone";
    CHECK(says(advice_on(record), "client left"));
}

TEST_CASE("a request that only a rule in shadow would have refused was not refused") {
    proxy::AccessRecord record;
    const std::array<std::string_view, 1> names{"tight"};
    record.shadow_names = names;
    record.shadow_refusals.set(0);
    CHECK(advice_on(record).starts_with("Nothing was refused"));
    CHECK(advice_on({}).empty());
}

}  // namespace weir::app
