#include "http/reason.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace weir::http;

TEST_CASE("every reason has an error status with a phrase and a slug of its own") {
    std::set<std::string> slugs;
    for (int i = 0; i <= static_cast<int>(Reason::draining); ++i) {
        const ReasonText& text = text_of(static_cast<Reason>(i));
        CAPTURE(text.slug);
        CHECK(text.status >= 400);
        CHECK(text.status <= 599);
        CHECK_FALSE(status_phrase(text.status).empty());
        CHECK(slugs.insert(std::string(text.slug)).second);
    }
    CHECK(text_of(Reason::bad_request).slug == "bad_request");
    CHECK(text_of(Reason::header_too_large).status == 431);
    CHECK(text_of(Reason::draining).status == 503);
    CHECK(text_of(Reason::deadline).status == 504);
}

TEST_CASE("a status without a standard phrase has an empty one") {
    CHECK(status_phrase(200) == "OK");
    CHECK(status_phrase(429) == "Too Many Requests");
    CHECK(status_phrase(299).empty());
    CHECK(status_phrase(0).empty());
}
